import type { MessageStore, Remembered, Returned } from '../../../store/message-store.js';
import type { Message } from '../../message.js';
import type { GroupKey } from '../groups/group-key.js';
import { GroupedBacklog } from '../groups/grouped-backlog.js';
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
  /** What was taken and given back; there as soon as anything is. */
  #returned: PositionHeap | undefined;
  redelivered = false;
  onLost: (position: number, wasReady: boolean) => void = () => {};

  constructor(store: MessageStore<Message>) {
    this.#store = store;
    // A store that was there before the broker started: what may have been delivered goes first.
    this.#fresh = store.redeliveredBelow;
    let position = store.firstFrom(0);
    for (; position < this.#fresh; position = store.firstFrom(position + 1)) {
      this.giveBack(position);
    }
    this.#freshCount = store.size - this.#returnedCount;
    store.onLost = (lost) => this.#lost(lost);
  }

  get isAtHand(): boolean {
    if (this.ready === 0) return true;
    return this.#store.isAtHand(this.#first());
  }

  fetch(then: () => void): void {
    this.#store.fetch(this.#first(), then);
  }

  get ready(): number {
    return this.#freshCount + this.#returnedCount;
  }

  get #returnedCount(): number {
    return this.#returned === undefined ? 0 : this.#returned.size;
  }

  get hasNext(): boolean {
    return this.ready > 0;
  }

  append(message: Message, expiresAt = 0): number {
    this.#freshCount++;
    return this.#store.append(message, expiresAt);
  }

  take(): number {
    if (this.#returned !== undefined && this.#returned.size > 0) {
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

  takeOldest(): number {
    return this.take();
  }

  read(position: number): Message {
    return this.#store.read(position);
  }

  giveBack(position: number): void {
    this.#returned ??= new PositionHeap();
    this.#returned.push(position);
  }

  letGo(): void {}

  withhold(position: number): boolean {
    if (position >= this.#fresh) return false;
    this.#returned?.delete(position);
    return true;
  }

  remove(position: number): void {
    this.#store.remove(position);
  }

  drop(position: number): void {
    if (position >= this.#fresh) this.#freshCount--;
    else this.#returned?.delete(position);
    this.#store.remove(position);
  }

  has(position: number): boolean {
    return this.#store.firstFrom(position) === position;
  }

  isInMemory(position: number): boolean {
    return this.#store.isInMemory(position);
  }

  load(position: number, then: () => void): void {
    this.#store.load(position, then);
  }

  forEachReady(visit: (position: number) => void): void {
    this.#returned?.forEach(visit);
    let position = this.#store.firstFrom(this.#fresh);
    for (; position < this.#store.next; position = this.#store.firstFrom(position + 1)) {
      visit(position);
    }
  }

  settle(): void {
    this.#store.settleReservation(this.#fresh);
  }

  noteReturns(position: number, returned: Returned): void {
    this.#store.noteReturns(position, returned);
  }

  takeRemembered(visit: (position: number, remembered: Remembered) => void): void {
    for (const [position, remembered] of this.#store.takeRemembered()) visit(position, remembered);
  }

  bodyBytes(position: number): number {
    return this.#store.bodyBytes(position);
  }

  shrink(): void {
    this.#store.shrink();
  }

  groupedBy(key: GroupKey | undefined): Backlog {
    if (key === undefined) return this;
    const state = {
      store: this.#store,
      fresh: this.#fresh,
      returned: this.#returned ?? new PositionHeap(),
    };
    return new GroupedBacklog(state, key);
  }

  /** Position of the first ready message, if there is one. */
  #first(): number {
    const returned = this.#returned;
    if (returned !== undefined && returned.size > 0) return returned.peek();
    return this.#store.firstFrom(this.#fresh);
  }

  #lost(position: number): void {
    const isFresh = position >= this.#fresh;
    let isReturned = false;
    if (!isFresh) this.#returned?.forEach((each) => (isReturned ||= each === position));
    if (isFresh) this.#freshCount--;
    else if (isReturned) this.#returned?.delete(position);
    this.onLost(position, isFresh || isReturned);
  }

  forEach(visit: (message: Message) => void): void {
    this.#store.forEach(visit);
  }

  clear(): void {
    this.#store.clear();
    this.#returned = undefined;
    this.#freshCount = 0;
    this.#fresh = this.#store.next;
  }
}
