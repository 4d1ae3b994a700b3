import { Sequence } from '../base/sequence.js';
import type { Consumer } from './consumer.js';
import type { Queue } from './queue/queue.js';

/** A delivery that waits for its acknowledgement. */
export interface Unacked {
  readonly queue: Queue;
  readonly position: number;
  /** Undefined if it was got with `basic.get`: that uses nobody's credit. */
  readonly consumer: Consumer | undefined;
}

/**
 * The deliveries of a channel that wait for acknowledgement, by delivery tag. Tags count up from 1
 * for every delivery, whether it has to be acknowledged or not.
 */
export class UnackedLedger {
  /** Tags are 1 and up; slots of deliveries without acknowledgement are never filled. */
  #entries = new Sequence<Unacked>(1);

  get size(): number {
    return this.#entries.size;
  }

  /** Uses up a tag for a delivery that needs no acknowledgement, and returns it. */
  skip(): number {
    return this.#entries.skip();
  }

  /** Notes a delivery and returns its tag. */
  add(entry: Unacked): number {
    return this.#entries.push(entry);
  }

  /** The delivery that waits under a tag, if there is one. */
  get(deliveryTag: number): Unacked | undefined {
    return this.#entries.get(deliveryTag);
  }

  /** Removes one delivery; undefined if there is none with that tag. */
  take(deliveryTag: number): Unacked | undefined {
    return this.#entries.delete(deliveryTag);
  }

  /** Puts a delivery back under its tag. */
  restore(deliveryTag: number, entry: Unacked): void {
    this.#entries.restore(deliveryTag, entry);
  }

  /**
   * Removes all deliveries up to a tag, that one included, or all there are if the tag is 0, and
   * calls `visit` for each in order. False, with nothing done, if no delivery waits under the tag
   * itself: RabbitMQ refuses that too.
   */
  takeUpTo(deliveryTag: number, visit: (entry: Unacked, deliveryTag: number) => void): boolean {
    const entries = this.#entries;
    if (deliveryTag !== 0 && entries.get(deliveryTag) === undefined) return false;
    const end = deliveryTag === 0 ? entries.next : deliveryTag + 1;
    for (let tag = entries.first(); tag < end; tag = entries.firstFrom(tag + 1)) {
      visit(entries.delete(tag)!, tag);
    }
    return true;
  }
}
