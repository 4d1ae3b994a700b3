import type { Alarm, Deadlines } from '../../base/deadlines.js';
import { TimeHeap } from '../../base/time-heap.js';
import type { MessageStore } from '../../store/message-store.js';
import type { Message } from '../message.js';
import type { Receiver } from '../ports.js';
import { delayedProperties, delayOf } from './delay-headers.js';

/** How long before it is due a message is read from the disk, in milliseconds. */
const READ_AHEAD_MILLISECONDS = 5_000;
/** How many are read before they are due, at most, and how many octets of them, more or less. */
const READ_AHEAD_MESSAGES = 32_768;
const READ_AHEAD_BYTES = 67_108_864;
/** How many are read at once: the more, the fewer octets between them are read in vain. */
const READ_MESSAGES = 16_384;
/** What a message is taken to have before any has been seen, in octets. */
const BODY_BYTES_DEFAULT = 4_096;
/** So many messages make up the average. */
const AVERAGE_MESSAGES = 64;

/** How many fall due in one go, or for how long, before others get their turn. */
const SLICE_MESSAGES = 1_000;
const SLICE_MILLISECONDS = 5;
/** How often the clock is looked at meanwhile. */
const LOOK_MESSAGES = 32;

/** Entries of messages that are gone are tidied up above this number. */
const TIDY_ENTRIES_MIN = 1_024;

/** A wall clock that differs by more has been set; by less it has drifted. */
const SET_MILLISECONDS_MIN = 1_000;

/** What delayed messages need of their virtual host. */
export interface DelayedMessagesPorts {
  readonly deadlines: Deadlines;
  readonly store: MessageStore<Message>;
  /** Publishes a message whose time has come. */
  readonly release: (message: Message) => void;
}

/**
 * The messages of an exchange that are not due yet. Each is kept as a queue keeps its messages;
 * what is known of it besides is when it is due, in 16 octets, and there is no timer, closure or
 * object for it. They go in order of time, of the same millisecond in order of publishing.
 *
 * Those that are due soon are *near*: they are brought into memory before their time.
 */
export class DelayedMessages implements Receiver {
  readonly name: string;
  readonly #deadlines: Deadlines;
  readonly #store: MessageStore<Message>;
  readonly #release: (message: Message) => void;
  readonly #alarm: Alarm;
  #alarmAt = Number.POSITIVE_INFINITY;
  /** When the monotonic clock stood at 0, in wall time: due times are counted from then. */
  readonly #epoch: number;
  /** Due times and positions. Everything that is due before {@link #edge} is in the first. */
  readonly #near = new TimeHeap();
  readonly #far = new TimeHeap();
  #edge = Number.NEGATIVE_INFINITY;
  /** Of the bodies seen last: how much is read before it is due goes by it. */
  #averageBytes = BODY_BYTES_DEFAULT;
  /** What has come near, and has to be read. */
  #unread: number[] = [];
  #isLoading = false;
  #isEnded = false;

  /** `name` is how a trace calls them. The store may hold some already; see {@link begin}. */
  constructor(name: string, { deadlines, store, release }: DelayedMessagesPorts) {
    this.name = name;
    this.#deadlines = deadlines;
    this.#store = store;
    this.#release = release;
    this.#epoch = deadlines.wallTime() - deadlines.now();
    this.#alarm = deadlines.alarm(() => this.#ring());
  }

  /** From now on time passes: messages from before the broker started fall due. */
  begin(): void {
    for (const [position, { expiresAt }] of this.#store.takeRemembered()) {
      if (this.#has(position)) this.#add(expiresAt, position);
    }
  }

  /** How many wait. */
  get count(): number {
    return this.#store.size;
  }

  publish(message: Message): boolean {
    // A transaction may be committed after the exchange has gone.
    if (this.#isEnded) return true;
    const delay = Math.max(0, delayOf(message.headers(), this.#deadlines.wallTime()));
    this.#saw(message);
    // Whole milliseconds, as they are kept: nothing is early, and the order is that of a restart.
    const due = Math.ceil(this.#now() + delay);
    const position = this.#store.append(message.keep(), this.#wallTimeOf(due));
    this.#add(due, position);
    return true;
  }

  /** There is always room. */
  wouldRefuse(): boolean {
    return false;
  }

  /** Calls `visit` for every message that waits, in no order; `dueAt` is wall time. */
  forEachDue(visit: (dueAt: number, position: number) => void): void {
    const visitLive = (due: number, position: number): void => {
      if (this.#has(position)) visit(this.#wallTimeOf(due), position);
    };
    this.#near.forEach(visitLive);
    this.#far.forEach(visitLive);
  }

  /** Has messages read and calls `then`, for {@link read}; some may be gone by then. */
  whenRead(positions: readonly number[], then: () => void): void {
    const missing = positions.filter((each) => this.#has(each) && !this.#store.isInMemory(each));
    if (missing.length === 0) then();
    else this.#store.loadAll(missing, () => this.whenRead(positions, then));
  }

  /** A message that has been read; borrowed. Undefined if it does not wait any more. */
  read(position: number): Message | undefined {
    return this.#has(position) ? this.#store.read(position) : undefined;
  }

  /** Drops a message; false if it does not wait. */
  cancel(position: number): boolean {
    if (!this.#has(position)) return false;
    this.#store.remove(position);
    this.#tidy();
    return true;
  }

  /** Publishes a message before its time; calls back with false if it does not wait by then. */
  fire(position: number, then: (isFired: boolean) => void): void {
    this.whenRead([position], () => {
      const message = this.read(position);
      if (message !== undefined) this.#fire(position, message);
      then(message !== undefined);
    });
  }

  shrink(): void {
    this.#store.shrink();
  }

  forEachMessage(visit: (message: Message) => void): void {
    this.#store.forEach(visit);
  }

  /** The exchange is gone: nobody would know where to they should go. */
  end(): void {
    this.#isEnded = true;
    this.#alarm.clear();
    this.#near.clear();
    this.#far.clear();
    this.#store.clear();
  }

  /** Wall time as if the clock had never been set: in step with the alarm. */
  #now(): number {
    return this.#deadlines.now() + this.#epoch;
  }

  /** The same time on the wall clock as it goes now, for what outlives the process. */
  #wallTimeOf(time: number): number {
    const difference = this.#deadlines.wallTime() - this.#now();
    return Math.abs(difference) < SET_MILLISECONDS_MIN ? time : Math.round(time + difference);
  }

  #has(position: number): boolean {
    return !this.#isEnded && this.#store.firstFrom(position) === position;
  }

  #add(due: number, position: number): void {
    const isNear = due < this.#edge;
    (isNear ? this.#near : this.#far).push(due, position);
    this.#arm(isNear ? due : due - READ_AHEAD_MILLISECONDS / 2);
  }

  #arm(at: number): void {
    if (at >= this.#alarmAt) return;
    this.#alarmAt = at;
    this.#alarm.set(at - this.#epoch);
  }

  #ring(): void {
    this.#alarmAt = Number.POSITIVE_INFINITY;
    const now = this.#now();
    this.#bringNear(now);
    // Should one of them fail, it must not keep the others waiting.
    let isBlocked = false;
    try {
      isBlocked = this.#releaseDue(now);
    } finally {
      this.#load(isBlocked);
      // What is being read rings when it is there.
      if (this.#near.size > 0 && !isBlocked) this.#arm(this.#near.firstTime);
      if (this.#far.size > 0 && this.#hasRoomNear) {
        this.#arm(this.#far.firstTime - READ_AHEAD_MILLISECONDS / 2);
      }
    }
  }

  /** Releases what is due, for a while; true if the first that is due has to be read yet. */
  #releaseDue(now: number): boolean {
    const near = this.#near;
    for (let done = 0; near.size > 0 && near.firstTime <= now; done++) {
      if (done === SLICE_MESSAGES) break;
      const isTimeToLook = done % LOOK_MESSAGES === LOOK_MESSAGES - 1;
      if (isTimeToLook && this.#now() - now > SLICE_MILLISECONDS) break;
      const position = near.firstNumber;
      const isThere = this.#has(position);
      // Those behind it wait, too: they go in their order.
      if (isThere && !this.#store.isInMemory(position)) return true;
      near.pop();
      if (isThere) this.#fire(position, this.#store.read(position));
    }
    return false;
  }

  get #hasRoomNear(): boolean {
    return this.#near.size <= this.#readAheadMessages / 2;
  }

  get #readAheadMessages(): number {
    return Math.min(READ_AHEAD_MESSAGES, READ_AHEAD_BYTES / this.#averageBytes);
  }

  #saw({ bodyBytes }: Message): void {
    this.#averageBytes += (bodyBytes - this.#averageBytes) / AVERAGE_MESSAGES;
  }

  #bringNear(now: number): void {
    if (!this.#hasRoomNear) return;
    const far = this.#far;
    const near = this.#near;
    const horizon = now + READ_AHEAD_MILLISECONDS;
    const most = Math.max(1, this.#readAheadMessages);
    while (far.size > 0 && far.firstTime < horizon && near.size < most) {
      near.push(far.firstTime, far.firstNumber);
      this.#readUnlessThere(far.firstNumber);
      far.pop();
    }
    // Of the same time those stay behind that were published later.
    this.#edge = far.size > 0 ? Math.min(far.firstTime, horizon) : horizon;
  }

  #readUnlessThere(position: number): void {
    if (this.#has(position) && !this.#store.isInMemory(position)) this.#unread.push(position);
  }

  /** Brings into memory what has come near, and what was there and has been put out of it. */
  #load(isBlocked: boolean): void {
    if (this.#isLoading) return;
    if (isBlocked && this.#unread.length === 0) {
      this.#near.forEach((_due, position) => this.#readUnlessThere(position));
    }
    if (this.#unread.length === 0) return;
    // The first of them are due first.
    const positions = this.#unread.splice(0, READ_MESSAGES);
    this.#isLoading = true;
    this.#store.loadAll(positions, () => {
      this.#isLoading = false;
      if (this.#isEnded) return;
      this.#load(false);
      this.#arm(this.#now());
    });
  }

  /** A message leaves: first, for what its publishing brings about may come back here. */
  #fire(position: number, message: Message): void {
    const released = releasedOf(message);
    this.#saw(message);
    this.#store.remove(position);
    this.#release(released);
  }

  /** Forgets the due times of what is gone, if there are many. */
  #tidy(): void {
    const stale = this.#near.size + this.#far.size - this.#store.size;
    if (stale < TIDY_ENTRIES_MIN || stale < this.#store.size) return;
    const isThere = (position: number): boolean => this.#has(position);
    this.#near.filter(isThere);
    this.#far.filter(isThere);
  }
}

/** A message as it is published when its time has come. */
function releasedOf(message: Message): Message {
  const properties = delayedProperties(message.properties());
  const released = message.withProperties(properties);
  // Its time to live begins now; what was read from the disk does not know it.
  const { expiration } = properties;
  released.expirationMilliseconds = expiration === undefined ? -1 : Number(expiration);
  return released;
}
