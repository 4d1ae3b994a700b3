import type { Alarm, Deadlines } from '../../base/deadlines.js';
import { TimeHeap } from '../../base/time-heap.js';
import type { MessageStore } from '../../store/message-store.js';
import type { Message } from '../message.js';
import type { Receiver } from '../ports.js';
import { delayedProperties, delayOf } from './delay-headers.js';
import { NearMessages } from './near-messages.js';

/** How long before it is due a message comes near, in milliseconds. */
const NEAR_MILLISECONDS = 5_000;
/** How many come near in one go. */
const BRING_MESSAGES = 1_000;

/** How many fall due in one go, or for how long, before others get their turn. */
const SLICE_MESSAGES = 1_000;
const SLICE_MILLISECONDS = 5;
/**
 * How long those that fall due just after wait for each other, in milliseconds: what falls due
 * every millisecond would be written to the disk every millisecond.
 */
const GATHER_MILLISECONDS = 5;
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
 * Those that are due soon are *near*; see {@link NearMessages}.
 */
export class DelayedMessages implements Receiver {
  readonly name: string;
  readonly #deadlines: Deadlines;
  readonly #store: MessageStore<Message>;
  readonly #release: (message: Message) => void;
  readonly #alarm: Alarm;
  #alarmAt = Number.POSITIVE_INFINITY;
  /** Nothing is due before: see {@link GATHER_MILLISECONDS}. */
  #gatherUntil = Number.NEGATIVE_INFINITY;
  /** When the monotonic clock stood at 0, in wall time: due times are counted from then. */
  readonly #epoch: number;
  /** Due times and positions. Everything that is due before {@link #edge} is in the first. */
  readonly #near: NearMessages;
  readonly #far = new TimeHeap();
  #edge = Number.NEGATIVE_INFINITY;
  #isEnded = false;

  /** `name` is how a trace calls them. The store may hold some already; see {@link begin}. */
  constructor(name: string, { deadlines, store, release }: DelayedMessagesPorts) {
    this.name = name;
    this.#deadlines = deadlines;
    this.#store = store;
    this.#release = release;
    this.#epoch = deadlines.wallTime() - deadlines.now();
    this.#alarm = deadlines.alarm(() => this.#ring());
    this.#near = new NearMessages({
      store,
      has: (position) => this.#has(position),
      read: () => {
        if (!this.#isEnded) this.#arm(this.#now());
      },
    });
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
    this.#near.saw(message);
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
    this.#arm(isNear ? Math.max(due, this.#gatherUntil) : due - NEAR_MILLISECONDS / 2);
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
      const near = this.#near;
      near.readAhead(now);
      // What is being read rings when it is there.
      if (isBlocked) near.readFirst(now);
      else if (near.size > 0) this.#arm(Math.max(near.firstTime, this.#gatherUntil));
      this.#arm(near.readTime);
      if (this.#far.size > 0 && near.hasRoom) {
        this.#arm(this.#far.firstTime - NEAR_MILLISECONDS / 2);
      }
    }
  }

  /** Releases what is due, for a while; true if the first that is due has to be read yet. */
  #releaseDue(now: number): boolean {
    const near = this.#near;
    if (near.size === 0 || near.firstTime > now) return false;
    this.#gatherUntil = now;
    for (let done = 0; near.size > 0 && near.firstTime <= now; done++) {
      if (done === SLICE_MESSAGES) break;
      const isTimeToLook = done % LOOK_MESSAGES === LOOK_MESSAGES - 1;
      if (isTimeToLook && this.#now() - now > SLICE_MILLISECONDS) break;
      const position = near.firstPosition;
      const isThere = this.#has(position);
      // Those behind it wait, too: they go in their order.
      if (isThere && !this.#store.isInMemory(position)) return true;
      near.pop();
      if (isThere) this.#fire(position, this.#store.read(position));
    }
    if (near.size === 0 || near.firstTime > now) this.#gatherUntil = now + GATHER_MILLISECONDS;
    return false;
  }

  #bringNear(now: number): void {
    const far = this.#far;
    const near = this.#near;
    const horizon = now + NEAR_MILLISECONDS;
    for (let i = 0; i < BRING_MESSAGES && near.hasRoom; i++) {
      if (far.size === 0 || far.firstTime >= horizon) break;
      near.bring(far.firstTime, far.firstNumber);
      far.pop();
    }
    // Of the same time those stay behind that were published later.
    this.#edge = far.size > 0 ? Math.min(far.firstTime, horizon) : horizon;
  }

  /** A message leaves: first, for what its publishing brings about may come back here. */
  #fire(position: number, message: Message): void {
    const released = releasedOf(message);
    this.#near.saw(message);
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
