import assert from 'node:assert/strict';
import type { SeededRandom } from '../../wire/seeded-random.js';
import type { Scenario } from '../scenario.js';
import type { Stage } from './actors.js';
import type { BrokerAccess } from './broker-access.js';
import { checkTopology, emptyQueues, lookIntoQueues } from './inspection.js';
import type { CheckOptions } from './model.js';
import { Progress } from './progress.js';
import { TopologyModel } from './topology-model.js';
import { Traffic } from './traffic.js';

/** Queues, exchanges and bindings that come and go, and messages in them. */
export class QueueScenario implements Scenario {
  readonly #random: SeededRandom;
  readonly #burst: number;
  readonly #topology = new TopologyModel();
  readonly #stage: Stage;
  #traffic: Traffic | undefined;
  published = 0;

  /** `burst`: how many messages are published at once, at most. */
  constructor(random: SeededRandom, burst: number) {
    this.#random = random;
    this.#burst = burst;
    const nextId = (): number => ++this.published;
    this.#stage = { topology: this.#topology, progress: new Progress(), nextId, problems: [] };
  }

  async begin(broker: BrokerAccess, life: number): Promise<void> {
    this.#traffic = new Traffic(broker, this.#stage, this.#random, this.#burst);
    await this.#traffic.begin(life);
  }

  async step(): Promise<void> {
    await this.#traffic?.step();
    assert.deepEqual(this.#stage.problems, []);
  }

  async barrier(): Promise<void> {
    await this.#traffic?.barrier();
  }

  async check(broker: BrokerAccess, options: CheckOptions): Promise<void> {
    await lookIntoQueues(broker, this.#topology, options);
    // A binding shows only when messages are routed.
    if (this.#topology.pending === undefined && this.#random.percent(50)) return;
    await emptyQueues(broker, this.#topology);
    await checkTopology(broker, this.#topology);
  }
}
