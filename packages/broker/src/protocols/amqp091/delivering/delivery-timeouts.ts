import type { Alarm, Deadlines } from '../../../base/deadlines.js';
import { TimeHeap } from '../../../base/time-heap.js';

/** Entries below this number are not worth tidying up. */
const TIDY_ENTRIES_MIN = 1_024;

/**
 * Which deliveries of a channel have to be acknowledged by when: the argument `x-consumer-timeout`.
 * A delivery that is acknowledged in time leaves its entry, which is passed over when its time
 * comes, or tidied up when most are of that kind.
 */
export class DeliveryTimeouts {
  readonly #deadlines: Deadlines;
  readonly #alarm: Alarm;
  readonly #isUnacked: (deliveryTag: number) => boolean;
  readonly #timedOut: (deliveryTag: number) => void;
  readonly #heap = new TimeHeap();
  #tidyAbove = TIDY_ENTRIES_MIN;

  /** `isUnacked` tells whether a delivery still waits; `timedOut` is told of the first too late. */
  constructor(
    deadlines: Deadlines,
    isUnacked: (deliveryTag: number) => boolean,
    timedOut: (deliveryTag: number) => void,
  ) {
    this.#deadlines = deadlines;
    this.#isUnacked = isUnacked;
    this.#timedOut = timedOut;
    this.#alarm = deadlines.alarm(() => this.#ring());
  }

  /** Notes a delivery that has to be acknowledged within so many milliseconds. */
  add(deliveryTag: number, milliseconds: number): void {
    const heap = this.#heap;
    heap.push(this.#deadlines.now() + milliseconds, deliveryTag);
    if (heap.firstNumber === deliveryTag) this.#alarm.set(heap.firstTime);
    if (heap.size <= this.#tidyAbove) return;
    heap.filter(this.#isUnacked);
    this.#tidyAbove = Math.max(TIDY_ENTRIES_MIN, 2 * heap.size);
  }

  /** The channel ends. */
  stop(): void {
    this.#heap.clear();
    this.#alarm.clear();
  }

  #ring(): void {
    const heap = this.#heap;
    const now = this.#deadlines.now();
    while (heap.size > 0 && heap.firstTime <= now) {
      const deliveryTag = heap.firstNumber;
      heap.pop();
      // It most likely ends the channel, and everything that waits with it.
      if (this.#isUnacked(deliveryTag)) this.#timedOut(deliveryTag);
    }
    if (heap.size > 0) this.#alarm.set(heap.firstTime);
  }
}
