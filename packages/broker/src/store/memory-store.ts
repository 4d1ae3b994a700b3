import { invariant } from '../base/invariant.js';
import { Sequence } from '../base/sequence.js';
import {
  type MessageStore,
  NOTHING_REMEMBERED,
  type Remembered,
  type Stored,
} from './message-store.js';

/** Messages in memory, gone with the process. */
export class MemoryStore<M extends Stored> implements MessageStore<M> {
  #messages = new Sequence<M>(0);

  /** Never told of anything: memory loses nothing. */
  onLost: (position: number) => void = () => {};
  readonly redeliveredBelow = 0;

  get size(): number {
    return this.#messages.size;
  }

  get next(): number {
    return this.#messages.next;
  }

  append(message: M): number {
    message.retain();
    return this.#messages.push(message);
  }

  isAtHand(): boolean {
    return true;
  }

  fetch(_position: number, then: () => void): void {
    then();
  }

  isInMemory(): boolean {
    return true;
  }

  load(_position: number, then: () => void): void {
    then();
  }

  loadAll(_positions: readonly number[], then: () => void): void {
    then();
  }

  read(position: number): M {
    const message = this.#messages.get(position);
    invariant(message !== undefined, 'a queue asked its store for a message that is not there');
    return message;
  }

  remove(position: number): void {
    const message = this.#messages.delete(position);
    invariant(message !== undefined, 'a queue removed a message from its store twice');
    message.release();
  }

  firstFrom(from: number): number {
    return this.#messages.firstFrom(from);
  }

  settleReservation(): void {}

  noteReturns(): void {}

  /** Memory is empty when a broker starts. */
  takeRemembered(): ReadonlyMap<number, Remembered> {
    return NOTHING_REMEMBERED;
  }

  bodyBytes(position: number): number {
    return this.#messages.get(position)?.bodyBytes ?? 0;
  }

  /** There is no disk to hold anything. */
  shrink(): void {}

  forEach(visit: (message: M, position: number) => void): void {
    this.#messages.forEach(visit);
  }

  clear(): void {
    this.#messages.forEach((message) => message.release());
    this.#messages = new Sequence<M>(this.#messages.next);
  }
}
