import assert from 'node:assert/strict';
import { SeededRandom } from '../wire/seeded-random.js';
import type { DiskEvent } from './disk-state.js';
import { FaultyFiles } from './faulty-files.js';
import { HandTurnedClock } from './hand-turned-clock.js';
import type { Scenario } from './scenario.js';
import { ClosedError } from './traffic/stream-client.js';
import { World, type WorldOptions } from './world.js';

/** Steps in one life of a broker. */
const STEPS_MAX = 120;
/** The most things that happen to the disk before a crash. */
const CRASH_EVENTS_MAX = 250;
/** Messages published at once now and then; so many that not all stay in memory. */
const LIGHT_BURST = 40;
const HEAVY_BURST = 800;

/** The longest that a broker is down, in milliseconds. */
const DOWN_MILLISECONDS_MAX = 3_000;

/** Lives of a broker in one run. */
const LIVES = 4;

/** What a simulation has done, for the curious. */
export interface SimulationSummary {
  readonly published: number;
  readonly crashes: number;
  readonly cleanStops: number;
}

/** Makes a scenario; `burst` is how many messages are published at once, at most. */
export type NewScenario = (random: SeededRandom, burst: number) => Scenario;

/**
 * Several lives of one broker: the random clients of a scenario on a disk that fails and loses
 * power at random moments, and after each life a look at what is left. Everything follows from the
 * seed. Throws what is wrong.
 */
export async function simulate(seed: number, newScenario: NewScenario): Promise<SimulationSummary> {
  return await new Simulation(seed, newScenario).run();
}

class Simulation {
  readonly #random: SeededRandom;
  readonly #storage: Pick<WorldOptions, 'fileBytes' | 'memoryBytes'>;
  readonly #hasFaults: boolean;
  readonly #scenario: Scenario;
  #clock = new HandTurnedClock();
  #content: readonly DiskEvent[] = [];
  #crashes = 0;
  #cleanStops = 0;

  constructor(seed: number, newScenario: NewScenario) {
    this.#random = new SeededRandom(seed);
    const isHeavy = this.#random.percent(10);
    const fileBytes = this.#random.pick([2_048, 8_192, 65_536]);
    this.#storage = { fileBytes, memoryBytes: isHeavy ? 1 : 1_048_576 };
    this.#hasFaults = this.#random.percent(40);
    this.#scenario = newScenario(this.#random, isHeavy ? HEAVY_BURST : LIGHT_BURST);
  }

  async run(): Promise<SimulationSummary> {
    for (let life = 0; life < LIVES; life++) {
      const wasClean = await this.#live(life);
      await this.#check(wasClean);
    }
    return {
      published: this.#scenario.published,
      crashes: this.#crashes,
      cleanStops: this.#cleanStops,
    };
  }

  /** One life; returns whether the broker was stopped, not killed. */
  async #live(life: number): Promise<boolean> {
    const disk = new FaultyFiles({
      seed: this.#random.bits(),
      content: this.#content,
      turnsMax: this.#random.pick([0, 1, 4]),
    });
    const isClean = this.#random.percent(20);
    const world = await this.#open(disk);
    try {
      await this.#scenario.begin(world, life);
      if (!isClean) disk.crashAfter(this.#random.below(CRASH_EVENTS_MAX), () => world.cut());
      if (this.#hasFaults) this.#planFaults(disk);
      for (let i = 0; i < STEPS_MAX && !disk.isDead; i++) {
        await this.#scenario.step();
      }
      if (isClean) {
        await this.#scenario.barrier();
        await world.close();
      }
    } catch (error) {
      if (!disk.isDead || !(error instanceof ClosedError)) throw withLog(error, world);
    }
    world.cut();
    checkLog(world);
    this.#content = disk.crash();
    if (isClean) this.#cleanStops++;
    else this.#crashes++;
    // While the disk says no, even a stop cannot note what has not been delivered.
    return isClean && !world.log.some((line) => line.startsWith('closing without'));
  }

  async #check(wasClean: boolean): Promise<void> {
    const disk = new FaultyFiles({ seed: this.#random.bits(), content: this.#content });
    const world = await this.#open(disk);
    try {
      await this.#scenario.check(world, { wasClean });
      if (this.#random.percent(50)) await world.close();
    } catch (error) {
      throw withLog(error, world);
    }
    world.cut();
    checkLog(world);
    this.#content = disk.crash();
  }

  /** Starts a broker, some time after the one before. */
  async #open(disk: FaultyFiles): Promise<World> {
    const down = this.#random.below(DOWN_MILLISECONDS_MAX);
    this.#clock = new HandTurnedClock(this.#clock.wallTime() + down);
    return await World.open(disk, this.#random, { ...this.#storage, clock: this.#clock });
  }

  #planFaults(disk: FaultyFiles): void {
    for (let i = this.#random.below(3); i >= 0; i--) {
      disk.fail({
        call: this.#random.pick([
          'write',
          'write',
          'open',
          'rename',
          'sync',
          'syncDirectory',
          'read',
        ]),
        after: this.#random.below(40),
        times: 1 + this.#random.below(3),
        code: this.#random.pick(['EIO', 'ENOSPC', 'EMFILE']),
        share: this.#random.pick([0, 0.5, 1]),
      });
    }
  }
}

/** A power loss is no damage, and whatever fails is no bug of the broker's. */
function checkLog({ log }: World): void {
  const alarming = /^internal error|damaged|missing|ends here|InvariantError|TypeError|RangeError/;
  assert.deepEqual(
    log.filter((line) => alarming.test(line)),
    [],
  );
}

function withLog(error: unknown, world: World): Error {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new Error([text, 'The broker logged:', ...world.log].join('\n'));
}
