import type { Alarm, Deadlines } from '../../base/deadlines.js';
import { TimeHeap } from '../../base/time-heap.js';
import { PositionTable } from './backlog/position-table.js';

/** How many messages expire in one go, or for how long, before others get their turn. */
const SLICE_MESSAGES = 1_000;
const SLICE_MILLISECONDS = 5;
/** How often the clock is looked at meanwhile. */
const LOOK_MESSAGES = 32;

/** Entries below this number are not worth tidying up. */
const TIDY_ENTRIES_MIN = 1_024;

/** What a message with a deadline is doing. */
const READY = 1;
const TAKEN = 2;
/** Taken, and its deadline has passed since: it is no longer in the heap. */
const TAKEN_OVERDUE = 3;
/** Ready, but its time is up and it could not be removed: it is no longer in the heap. */
const READY_OVERDUE = 4;

/** Called with a ready message whose time is up; false if it has to stay nevertheless. */
export type Expired = (position: number) => boolean;

/**
 * When the messages of a queue expire: the arguments `x-message-ttl` and `expiration`. A message
 * expires at any position, not only at the head of the queue, but only while it is ready; one that
 * is given back has the deadline it always had.
 *
 * There is no timer, closure or object for a message: its deadline stands in a table by position,
 * and its position in a heap by deadline, 25 octets in all. What leaves the queue early leaves its
 * entry in the heap, which is tidied up when most of it is of that kind.
 */
export class Expiry {
  readonly #deadlines: Deadlines;
  readonly #alarm: Alarm;
  readonly #expired: Expired;
  readonly #table: PositionTable;
  readonly #heap = new TimeHeap();
  /** Entries of the heap whose message is gone. */
  #stale = 0;
  /** What the alarm is set for: the heap's first, or something earlier. */
  #alarmAt = Number.POSITIVE_INFINITY;

  /** `stride`: by how much positions grow from one message to the next. */
  constructor(deadlines: Deadlines, stride: number, expired: Expired) {
    this.#deadlines = deadlines;
    this.#table = new PositionTable(stride);
    this.#expired = expired;
    this.#alarm = deadlines.alarm(() => this.#ring());
  }

  /** How many messages have a deadline. */
  get size(): number {
    return this.#table.size;
  }

  /** Whether a message has a deadline that has not passed. */
  has(position: number): boolean {
    return this.#table.state(position) !== 0;
  }

  /** The positions of ready messages with a deadline, in no order. */
  positions(): number[] {
    const positions: number[] = [];
    this.#heap.forEach((_deadline, position) => {
      if (this.#table.state(position) === READY) positions.push(position);
    });
    return positions;
  }

  /** Notes the deadline of a ready message, in milliseconds of {@link Deadlines.now}. */
  add(position: number, deadline: number): void {
    this.#table.add(position, deadline, READY);
    this.#heap.push(deadline, position);
    if (deadline < this.#alarmAt) this.#arm(deadline);
  }

  /** The time of a ready message is up, for it had none to begin with. */
  expireNow(position: number): void {
    if (this.#table.state(position) !== READY) return;
    this.#table.setState(position, READY_OVERDUE);
    this.#stale++;
    if (this.#expired(position)) this.#table.delete(position);
  }

  /** Whether a message has a deadline, and it has passed. */
  isOverdue(position: number): boolean {
    const hasDeadline = this.#table.state(position) !== 0;
    return hasDeadline && this.#table.value(position) <= this.#deadlines.now();
  }

  /** A message has been taken; true if its time is up, so that it must not be delivered. */
  taken(position: number): boolean {
    const state = this.#table.state(position);
    if (state === 0) return false;
    if (state === READY_OVERDUE) {
      this.#table.setState(position, TAKEN_OVERDUE);
      return true;
    }
    this.#table.setState(position, TAKEN);
    return this.isOverdue(position);
  }

  /** A taken message has come back; true if its time is up. */
  returned(position: number): boolean {
    const state = this.#table.state(position);
    if (state === 0) return false;
    if (state === TAKEN_OVERDUE || this.isOverdue(position)) return true;
    this.#table.setState(position, READY);
    return false;
  }

  /** A message has gone. */
  removed(position: number): void {
    const state = this.#table.state(position);
    if (state === 0) return;
    this.#table.delete(position);
    if (state === TAKEN_OVERDUE || state === READY_OVERDUE) return;
    this.#stale++;
    if (this.#stale > TIDY_ENTRIES_MIN && this.#stale * 2 > this.#heap.size) this.#tidy();
  }

  /** Forgets everything: every message is gone. */
  clear(): void {
    this.#table.clear();
    this.#heap.clear();
    this.#stale = 0;
    this.#alarm.clear();
    this.#alarmAt = Number.POSITIVE_INFINITY;
  }

  #arm(at: number): void {
    this.#alarmAt = at;
    this.#alarm.set(at);
  }

  #tidy(): void {
    this.#heap.filter((position) => this.#isInHeap(position));
    this.#stale = 0;
  }

  #isInHeap(position: number): boolean {
    const state = this.#table.state(position);
    return state === READY || state === TAKEN;
  }

  #ring(): void {
    const now = this.#deadlines.now();
    const heap = this.#heap;
    this.#alarmAt = Number.POSITIVE_INFINITY;
    for (let done = 0; heap.size > 0 && done < SLICE_MESSAGES; done++) {
      if (heap.firstTime > now) break;
      const isTimeToLook = done % LOOK_MESSAGES === LOOK_MESSAGES - 1;
      if (isTimeToLook && this.#deadlines.now() - now > SLICE_MILLISECONDS) break;
      const position = heap.firstNumber;
      const state = this.#table.state(position);
      heap.pop();
      if (state === TAKEN) {
        this.#table.setState(position, TAKEN_OVERDUE);
      } else if (state === READY) {
        // Its entry has just left the heap: it is not one of those that are stale.
        this.#table.setState(position, READY_OVERDUE);
        if (this.#expired(position)) this.#table.delete(position);
      } else {
        this.#stale--;
      }
    }
    if (heap.size > 0 && heap.firstTime < this.#alarmAt) this.#arm(heap.firstTime);
  }
}
