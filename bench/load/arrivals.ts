import { addFaults, type Faults, NO_FAULTS, SequenceCheck } from './sequence-check.js';

/** What arrives in queues, each of which one stream is meant for. */
export class Arrivals {
  /** In all queues together. */
  received = 0;
  readonly #checks: readonly SequenceCheck[];
  readonly #streams: readonly number[];

  /** `streams`: by queue. */
  constructor(streams: readonly number[]) {
    this.#streams = streams;
    this.#checks = streams.map((stream) => new SequenceCheck(stream));
  }

  take(queue: number, stream: number, number: number): void {
    this.received++;
    this.#checks[queue]!.take(stream, number);
  }

  receivedIn(queue: number): number {
    return this.#checks[queue]!.received;
  }

  /** `publishedTo`: how many there were of a stream. */
  faults(publishedTo: (stream: number) => number): Faults {
    const each = this.#checks.map((check, at) => check.faults(publishedTo(this.#streams[at]!)));
    return each.reduce(addFaults, NO_FAULTS);
  }
}
