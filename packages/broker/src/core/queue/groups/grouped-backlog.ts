import type { MessageStore, Remembered, Returned } from '../../../store/message-store.js';
import type { Message } from '../../message.js';
import type { Backlog } from '../backlog/backlog.js';
import { PositionHeap } from '../backlog/position-heap.js';
import type { GroupKey } from './group-key.js';
import { GroupLinks, LISTED, LOOSE, SEEN, TAKEN, UNKNOWN } from './group-links.js';
import { type Group, Groups, NONE } from './groups.js';

/** A queue's messages as the backlog before has left them. */
export interface HandedOver {
  readonly store: MessageStore<Message>;
  /** From here on none has been taken. */
  readonly fresh: number;
  /** Those before that are ready. */
  readonly returned: PositionHeap;
}

/**
 * Messages in the order they came, but of those with the same key only one at a time: the argument
 * `x-group-by`. While it is delivered the others of its key wait; it goes first again if it is
 * given back. What is taken next is the oldest message whose key nobody holds, and is found without
 * looking at those that wait.
 *
 * The key of a message is read when it comes. Of messages that were there before, from before the
 * broker started or from before a policy, it is read when their turn comes nearer: in order, and
 * none is taken while there is an older one whose key is not known.
 */
export class GroupedBacklog implements Backlog {
  readonly #store: MessageStore<Message>;
  /** Undefined: nothing has a key any more. */
  #keyOf: GroupKey | undefined;
  #links = new GroupLinks();
  #groups = new Groups();
  /** The first of each group that nobody holds; and what is loose. */
  readonly #takeable = new PositionHeap();
  /** Delivered messages whose keys may not be known yet; they are read before any other. */
  #delivered: number[] = [];
  /** The keys of messages before this position are known. */
  #unknownFrom = 0;
  /** No message before this position is ready. */
  #oldest = 0;
  /** From here on no message has ever been taken. */
  #untakenFrom: number;
  #ready: number;
  redelivered = false;
  onLost: (position: number, wasReady: boolean) => void = () => {};

  constructor({ store, fresh, returned }: HandedOver, keyOf: GroupKey) {
    this.#store = store;
    this.#keyOf = keyOf;
    this.#untakenFrom = fresh;
    this.#ready = store.size;
    returned.forEach((position) => this.#links.set(position, UNKNOWN, LISTED | SEEN));
    let position = store.firstFrom(0);
    for (; position < fresh; position = store.firstFrom(position + 1)) {
      if (this.#links.state(position) !== 0) continue;
      this.#links.set(position, UNKNOWN, TAKEN | SEEN);
      this.#delivered.push(position);
      this.#ready--;
    }
    store.onLost = (lost) => this.#lost(lost);
  }

  get ready(): number {
    return this.#ready;
  }

  get hasNext(): boolean {
    return this.#first() !== NONE || this.#unknownFrom < this.#store.next;
  }

  get isAtHand(): boolean {
    const position = this.#next();
    return position === NONE ? !this.hasNext : this.#store.isAtHand(position);
  }

  fetch(then: () => void): void {
    const position = this.#next();
    if (position === NONE) this.#store.load(this.#nextUnknown(), then);
    else this.#store.fetch(position, then);
  }

  groupedBy(keyOf: GroupKey | undefined): this {
    this.#keyOf = keyOf;
    const known = this.#links;
    this.#links = new GroupLinks();
    this.#groups = new Groups();
    this.#takeable.clear();
    this.#delivered = [];
    this.#unknownFrom = 0;
    known.forEach((position, state) => {
      if ((state & TAKEN) !== 0) this.#delivered.push(position);
      if ((state & SEEN) === 0) return;
      this.#links.set(position, UNKNOWN, (state & TAKEN) === 0 ? LISTED | SEEN : state);
    });
    return this;
  }

  append(message: Message, expiresAt = 0): number {
    const isNext = this.#unknownFrom >= this.#store.next;
    const position = this.#store.append(message, expiresAt);
    this.#ready++;
    if (isNext) this.#meet(position, this.#keyOf?.(message) ?? '');
    return position;
  }

  take(): number {
    const position = this.#next();
    if (position === NONE) return NONE;
    const links = this.#links;
    const state = links.state(position);
    const group = this.#groups.at(links.group(position));
    if ((state & LISTED) !== 0) links.unlink(group, position);
    if (group !== this.#groups.none) group.inFlight++;
    if (group !== this.#groups.none || (state & LOOSE) !== 0) this.#takeable.pop();
    links.set(position, group.number, TAKEN | SEEN);
    this.redelivered = (state & SEEN) !== 0;
    if (position >= this.#untakenFrom) this.#untakenFrom = position + 1;
    this.#ready--;
    return position;
  }

  takeOldest(): number {
    if (this.#ready === 0) return NONE;
    const links = this.#links;
    let position = this.#store.firstFrom(this.#oldest);
    while ((links.state(position) & TAKEN) !== 0) position = this.#store.firstFrom(position + 1);
    this.#oldest = position + 1;
    this.#withdraw(position);
    this.#ready--;
    links.set(position, this.#groups.none.number, TAKEN | SEEN);
    return position;
  }

  read(position: number): Message {
    return this.#store.read(position);
  }

  giveBack(position: number): void {
    const links = this.#links;
    const number = links.group(position);
    this.#ready++;
    if (position < this.#oldest) this.#oldest = position;
    if (position >= this.#unknownFrom) {
      // There may be older ones of its group: it becomes known again behind them.
      links.set(position, UNKNOWN, LISTED | SEEN);
      if (number !== UNKNOWN) this.#letOneGo(this.#groups.at(number));
      return;
    }
    const group = this.#groups.at(number);
    if (group === this.#groups.none) {
      links.set(position, number, LOOSE | SEEN);
      this.#takeable.push(position);
      return;
    }
    links.set(position, number, LISTED | SEEN);
    links.link(group, position);
    group.returned = position;
    this.#letOneGo(group);
  }

  letGo(position: number): void {
    // The disk may have lost it.
    if (!this.#isTaken(position)) return;
    const number = this.#links.group(position);
    this.#links.set(position, this.#groups.none.number, TAKEN | SEEN);
    if (number !== UNKNOWN) this.#letOneGo(this.#groups.at(number));
  }

  /** Its group waits with it. Asked for when the broker starts, when no keys are known yet. */
  withhold(position: number): boolean {
    const links = this.#links;
    if ((links.state(position) & (SEEN | TAKEN)) !== SEEN) return false;
    if (links.group(position) !== UNKNOWN) return false;
    this.#ready--;
    links.set(position, UNKNOWN, TAKEN | SEEN);
    this.#delivered.push(position);
    return true;
  }

  remove(position: number): void {
    this.#store.remove(position);
    this.#forget(position);
  }

  drop(position: number): void {
    this.remove(position);
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
    const store = this.#store;
    let position = store.firstFrom(this.#oldest);
    for (; position < store.next; position = store.firstFrom(position + 1)) {
      if ((this.#links.state(position) & TAKEN) === 0) visit(position);
    }
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

  settle(): void {
    this.#store.settleReservation(this.#untakenFrom);
  }

  forEach(visit: (message: Message) => void): void {
    this.#store.forEach(visit);
  }

  clear(): void {
    this.#store.clear();
    this.#links = new GroupLinks();
    this.#groups = new Groups();
    this.#takeable.clear();
    this.#ready = 0;
    this.#delivered = [];
    this.#unknownFrom = this.#store.next;
    this.#oldest = this.#store.next;
  }

  /** The position to be taken next, if it is known already. */
  #first(): number {
    const { first } = this.#groups.none;
    if (this.#takeable.size === 0) return first;
    const takeable = this.#takeable.peek();
    return first === NONE || takeable < first ? takeable : first;
  }

  /** The position to be taken next; keys of messages in memory are read until there is one. */
  #next(): number {
    for (;;) {
      const position = this.#first();
      if (position !== NONE || !this.#meetNext()) return position;
    }
  }

  /** Reads the key of the message whose turn that is; false if it is not in memory. */
  #meetNext(): boolean {
    const position = this.#nextUnknown();
    if (position === NONE) return false;
    const keyOf = this.#keyOf;
    if (keyOf !== undefined && !this.#store.isInMemory(position)) return false;
    this.#meet(position, keyOf?.(this.#store.read(position)) ?? '');
    return true;
  }

  /** The message whose key is to be read next. */
  #nextUnknown(): number {
    const delivered = this.#delivered;
    for (; delivered.length > 0; delivered.pop()) {
      const position = delivered.at(-1)!;
      if (this.#isTaken(position) && this.#links.group(position) === UNKNOWN) return position;
    }
    const store = this.#store;
    let position = store.firstFrom(this.#unknownFrom);
    while (this.#isTaken(position)) position = store.firstFrom(position + 1);
    this.#unknownFrom = position;
    return position < store.next ? position : NONE;
  }

  /** The key of a message is known now. */
  #meet(position: number, key: string): void {
    const state = this.#links.state(position);
    const group = this.#groups.of(key);
    if ((state & TAKEN) !== 0) {
      this.#links.set(position, group.number, state);
      if (group !== this.#groups.none) group.inFlight++;
      return;
    }
    this.#unknownFrom = position + 1;
    this.#links.set(position, group.number, LISTED | (state & SEEN));
    this.#links.link(group, position);
    if (group.first === position) this.#offer(group);
  }

  #lost(position: number): void {
    const wasReady = !this.#isTaken(position);
    this.#forget(position);
    this.onLost(position, wasReady);
  }

  /** A message has left the store: nothing is known of it any more. */
  #forget(position: number): void {
    if (!this.#isTaken(position)) {
      this.#withdraw(position);
      this.#ready--;
    } else if (this.#links.group(position) !== UNKNOWN) {
      this.#letOneGo(this.#groups.at(this.#links.group(position)));
    }
    this.#links.delete(position);
  }

  /** Takes a ready message out of wherever it waits. */
  #withdraw(position: number): void {
    const state = this.#links.state(position);
    if (state === 0 || this.#links.group(position) === UNKNOWN) return;
    if ((state & LOOSE) !== 0) {
      this.#takeable.delete(position);
      return;
    }
    const group = this.#groups.at(this.#links.group(position));
    const isOffered = this.#isFree(group) && group.first === position;
    this.#links.unlink(group, position);
    if (!isOffered) return;
    this.#takeable.delete(position);
    this.#offer(group);
  }

  /** A delivered message of a group is delivered no longer: perhaps the next can be. */
  #letOneGo(group: Group): void {
    if (group === this.#groups.none) return;
    group.inFlight--;
    this.#offer(group);
  }

  /** Lets the first of a group be taken, if nobody holds the group. */
  #offer(group: Group): void {
    if (!this.#isFree(group)) return;
    if (group.first === NONE) this.#groups.dissolve(group);
    else this.#takeable.push(group.first);
  }

  #isFree(group: Group): boolean {
    return group !== this.#groups.none && group.inFlight === 0;
  }

  #isTaken(position: number): boolean {
    return (this.#links.state(position) & TAKEN) !== 0;
  }
}
