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
 *
 * There may be millions of them, so none is an object until somebody asks for it: a tag has a
 * number and a reference, 16 octets.
 */
export class UnackedLedger {
  /** Tags are 1 and up; slots of deliveries without acknowledgement are never filled. */
  readonly #positions = new Sequence<number>(1);
  /** Who got it, or for `basic.get` where it was got from. */
  readonly #takers = new Sequence<Consumer | Queue>(1);

  get size(): number {
    return this.#takers.size;
  }

  /** Uses up a tag for a delivery that needs no acknowledgement, and returns it. */
  skip(): number {
    this.#positions.skip();
    return this.#takers.skip();
  }

  /** Notes a delivery to a consumer, or what was got from a queue, and returns its tag. */
  add(taker: Consumer | Queue, position: number): number {
    this.#positions.push(position);
    return this.#takers.push(taker);
  }

  /** Whether a delivery waits under a tag. */
  has(deliveryTag: number): boolean {
    return this.#takers.get(deliveryTag) !== undefined;
  }

  /** The delivery that waits under a tag, if there is one. */
  get(deliveryTag: number): Unacked | undefined {
    const taker = this.#takers.get(deliveryTag);
    if (taker === undefined) return undefined;
    return unacked(taker, this.#positions.get(deliveryTag)!);
  }

  /** Removes one delivery; undefined if there is none with that tag. */
  take(deliveryTag: number): Unacked | undefined {
    const taker = this.#takers.delete(deliveryTag);
    if (taker === undefined) return undefined;
    return unacked(taker, this.#positions.delete(deliveryTag)!);
  }

  /** Puts a delivery back under its tag. */
  restore(deliveryTag: number, { queue, position, consumer }: Unacked): void {
    this.#positions.restore(deliveryTag, position);
    this.#takers.restore(deliveryTag, consumer ?? queue);
  }

  /**
   * Removes all deliveries up to a tag, that one included, or all there are if the tag is 0, and
   * calls `visit` for each in order; there may be new ones meanwhile, which stay. False, with
   * nothing done, if no delivery waits under the tag itself: RabbitMQ refuses that too.
   */
  takeUpTo(deliveryTag: number, visit: (entry: Unacked, deliveryTag: number) => void): boolean {
    const takers = this.#takers;
    if (deliveryTag !== 0 && takers.get(deliveryTag) === undefined) return false;
    const end = deliveryTag === 0 ? takers.next : deliveryTag + 1;
    for (let tag = takers.first(); tag < end; tag = takers.firstFrom(tag + 1)) {
      visit(this.take(tag)!, tag);
    }
    return true;
  }
}

function unacked(taker: Consumer | Queue, position: number): Unacked {
  if ('kind' in taker) return { queue: taker, position, consumer: undefined };
  return { queue: taker.queue, position, consumer: taker };
}
