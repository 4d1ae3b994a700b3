import type { Passage } from './deduplication/passage.js';
import type { Message } from './message.js';
import type { Receiver } from './ports.js';
import { Refusal } from './refusal.js';
import type { Unacked } from './unacked.js';

/** A publish that waits for its transaction to be committed; it was routed when it was made. */
export interface StagedPublish {
  readonly message: Message;
  readonly queues: readonly Receiver[];
  readonly mandatory: boolean;
  /** How it came by exchanges that hold duplicates back, if it did. */
  readonly passage: Passage | undefined;
}

/** What becomes of a delivery. */
export type Outcome = 'acknowledge' | 'discard' | 'requeue';

/** The settlement of a delivery that waits for its transaction to be committed. */
export interface StagedSettlement {
  readonly deliveryTag: number;
  readonly entry: Unacked;
  readonly outcome: Outcome;
}

/** Publishes and settlements of a channel since its last commit or rollback (0-9-1 §1.9). */
export class Transaction {
  readonly #stagedMax: number;
  #publishes: StagedPublish[] = [];
  #settlements: StagedSettlement[] = [];

  /** `stagedMax`: how many publishes and settlements there may be. */
  constructor(stagedMax: number) {
    this.#stagedMax = stagedMax;
  }

  /** Throws a Refusal if there are as many publishes and settlements as may be. */
  checkRoom(): void {
    if (this.#publishes.length + this.#settlements.length < this.#stagedMax) return;
    const text = `a transaction may have no more than ${this.#stagedMax} publishes and settlements`;
    throw new Refusal('precondition-failed', `${text}: commit more often`);
  }

  /** Stages a publish; the message is kept, and held until {@link take}'s caller releases it. */
  publish(
    message: Message,
    queues: readonly Receiver[],
    mandatory: boolean,
    passage: Passage | undefined,
  ): void {
    const kept = message.keep();
    kept.retain();
    this.#publishes.push({ message: kept, queues, mandatory, passage });
  }

  settle(settlement: StagedSettlement): void {
    this.#settlements.push(settlement);
  }

  /** Everything staged, in order; what is staged next begins a new transaction. */
  take(): {
    readonly publishes: readonly StagedPublish[];
    readonly settlements: readonly StagedSettlement[];
  } {
    const staged = { publishes: this.#publishes, settlements: this.#settlements };
    this.#publishes = [];
    this.#settlements = [];
    return staged;
  }

  /** Whether a queue would refuse what is staged for it, all taken together. */
  wouldBeRefused(): boolean {
    const loads = new Map<Receiver, { count: number; bytes: number }>();
    for (const { message, queues } of this.#publishes) {
      for (const queue of queues) {
        const load = loads.get(queue) ?? { count: 0, bytes: 0 };
        load.count++;
        load.bytes += message.bodyBytes;
        loads.set(queue, load);
      }
    }
    for (const [queue, { count, bytes }] of loads) {
      if (queue.wouldRefuse(count, bytes)) return true;
    }
    return false;
  }
}
