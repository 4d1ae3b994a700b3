import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Scenario } from '../simulation/scenario.js';
import type { NewScenario } from '../simulation/simulation.js';
import { ClosedError } from '../simulation/traffic/stream-client.js';
import { SeededRandom } from '../wire/seeded-random.js';
import { BrokerProcess } from './broker-process.js';

/** Small, so that there is much turning over. */
const FILE_BYTES = 65_536;

/** The longest life of a broker, in milliseconds. */
const LIFE_MILLISECONDS_MAX = 250;

/** Messages published at once now and then. */
const BURST = 200;

/** Of so many lives one ends with SIGTERM. */
const LIVES_PER_STOP = 8;

/** What has been done. */
export interface CrashSummary {
  readonly kills: number;
  readonly stops: number;
  readonly published: number;
}

/**
 * Kills a broker's process again and again at random moments, with a scenario's random clients at
 * work, and looks after each life at what the next one finds in the same directory. The clients do
 * the same for the same seed; when the process dies is up to the machine. Throws what is wrong.
 */
export async function crash(
  kills: number,
  seed: number,
  newScenario: NewScenario,
): Promise<CrashSummary> {
  const directory = await mkdtemp(join(tmpdir(), 'leveret-crash-'));
  const random = new SeededRandom(seed);
  const summary = await new Crashes(directory, random, newScenario(random, BURST)).run(kills);
  // Left behind for a look when something was wrong.
  await rm(directory, { recursive: true });
  return summary;
}

class Crashes {
  readonly #directory: string;
  readonly #random: SeededRandom;
  readonly #scenario: Scenario;

  constructor(directory: string, random: SeededRandom, scenario: Scenario) {
    this.#directory = directory;
    this.#random = random;
    this.#scenario = scenario;
  }

  async run(kills: number): Promise<CrashSummary> {
    let stops = 0;
    let broker = await BrokerProcess.start(this.#directory, FILE_BYTES);
    try {
      for (let life = 0; life < kills + stops; life++) {
        const isClean = life % LIVES_PER_STOP === LIVES_PER_STOP - 1;
        if (isClean) stops++;
        await this.#live(broker, life, isClean);
        broker = await BrokerProcess.start(this.#directory, FILE_BYTES);
        await this.#check(broker, isClean);
      }
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      throw new Error(`${text}\nin ${this.#directory}; the broker said:\n${broker.complaints}`);
    } finally {
      broker.kill();
      await broker.gone();
    }
    return { kills, stops, published: this.#scenario.published };
  }

  async #live(broker: BrokerProcess, life: number, isClean: boolean): Promise<void> {
    const end = Date.now() + this.#random.below(LIFE_MILLISECONDS_MAX);
    let isKilled = false;
    const kill = (): void => {
      isKilled = true;
      broker.kill();
    };
    const killing = isClean ? undefined : delay(end - Date.now()).then(kill);
    try {
      await this.#scenario.begin(broker, life);
      while (isClean ? Date.now() < end : !isKilled) {
        await this.#scenario.step();
      }
      if (isClean) await this.#scenario.barrier();
    } catch (error) {
      if (!isKilled || !(error instanceof ClosedError)) throw error;
    }
    await killing;
    if (isClean) await broker.stop();
    await broker.gone();
  }

  async #check(broker: BrokerProcess, wasClean: boolean): Promise<void> {
    assert.doesNotMatch(broker.complaints, /damaged|missing|lost|Error/);
    await this.#scenario.check(broker, { wasClean });
  }
}
