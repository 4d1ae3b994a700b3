import type { MessageStore } from '../../store/message-store.js';
import type { Message } from '../message.js';
import type { Backlog } from './backlog.js';
import { PositionHeap } from './position-heap.js';

/**
 * Messages in the order they came. What has never been taken lies in the store from `#fresh` on;
 * what was taken and given back lies before it, and goes first.
 */
export class FifoBacklog implements Backlog {
  readonly #store: MessageStore<Message>;
  /** The first position that was never taken. */
  #fresh: number;
  #freshCount = 0;
  readonly #returned = new PositionHeap();
  redelivered = false;

  constructor(store: MessageStore<Message>) {
    this.#store = store;
    this.#fresh = store.next;
  }

  get ready(): number {
    return this.#freshCount + this.#returned.size;
  }

  append(message: Message): void {
    this.#store.append(message);
    this.#freshCount++;
  }

  take(): number {
    if (this.#returned.size > 0) {
      this.redelivered = true;
      return this.#returned.pop();
    }
    if (this.#freshCount === 0) return -1;
    const position = this.#store.firstFrom(this.#fresh);
    this.#fresh = position + 1;
    this.#freshCount--;
    this.redelivered = false;
    return position;
  }

  read(position: number): Message {
    return this.#store.read(position);
  }

  giveBack(position: number): void {
    this.#returned.push(position);
  }

  remove(position: number): void {
    this.#store.remove(position);
  }

  forEach(visit: (message: Message) => void): void {
    this.#store.forEach(visit);
  }

  clear(): void {
    this.#store.clear();
    this.#returned.clear();
    this.#freshCount = 0;
    this.#fresh = this.#store.next;
  }
}
