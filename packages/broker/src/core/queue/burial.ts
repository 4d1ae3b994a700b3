import type { Alarm, Deadlines } from '../../base/deadlines.js';
import type { DeathReason } from '../dead-letter/deaths.js';
import type { DeathWatch } from '../ports.js';
import type { Backlog } from './backlog/backlog.js';
import type { DeadLettering } from './dead-lettering.js';

/** After what time dead letters that nobody took are published again, in milliseconds. */
const RETRY_MILLISECONDS = 1_000;

/** How many of them, and of those that had to be read from the disk, in one go. */
const SLICE_MESSAGES = 250;

/** What a message dies of, and whether it is ready or taken meanwhile. */
export interface Dying {
  readonly reason: DeathReason;
  readonly isReady: boolean;
  /** Whether whoever watches has been told: it is not the first attempt. */
  readonly isKnown?: boolean;
}

/** Told of a message that has to leave the backlog now; the disk may have lost it. */
export type Gone = (position: number, dying: Dying) => void;

/** What a burial needs of its queue. */
export interface BurialPorts {
  readonly deadlines: Deadlines;
  readonly deathWatch: DeathWatch;
  readonly gone: Gone;
}

/**
 * How messages leave a queue that have died: at once, or when their dead letter has been published,
 * or taken by the next queue. One that is on the disk alone is read first, and others wait behind
 * it, so that dead letters go in the order of the deaths.
 */
export class Burial {
  /** What becomes of the dead; undefined if they are just gone. */
  deadLettering: DeadLettering | undefined;
  readonly #queue: string;
  #backlog: Backlog;
  readonly #deadlines: Deadlines;
  readonly #deathWatch: DeathWatch;
  readonly #gone: Gone;
  /** Those that are on the disk alone, in the order they died, and those behind them. */
  readonly #unread = new Map<number, Dying>();
  readonly #goOn: Alarm;
  /** Those whose dead letter nobody has taken yet. */
  readonly #untaken = new Map<number, Dying>();
  readonly #retry: Alarm;
  #isOver = false;

  constructor(queue: string, backlog: Backlog, { deadlines, deathWatch, gone }: BurialPorts) {
    this.#queue = queue;
    this.#backlog = backlog;
    this.#deadlines = deadlines;
    this.#deathWatch = deathWatch;
    this.#gone = gone;
    this.#goOn = deadlines.alarm(() => this.#readNext());
    this.#retry = deadlines.alarm(() => this.#sendAgain());
  }

  /** The messages are in another backlog from now on; those that are dying too. */
  moveTo(backlog: Backlog): void {
    this.#backlog = backlog;
    for (const dead of [this.#unread, this.#untaken]) {
      for (const [position, { isReady }] of dead) if (!isReady) backlog.letGo(position);
    }
  }

  /** Lets a message die; false if it has to stay for a while. */
  bury(position: number, dying: Dying): boolean {
    if (!dying.isReady) this.#backlog.letGo(position);
    if (!this.#isWanted(dying) || !this.#backlog.has(position)) {
      this.#gone(position, dying);
      return true;
    }
    if (this.#unread.size === 0 && this.#backlog.isInMemory(position)) {
      return this.#send(position, dying);
    }
    this.#unread.set(position, dying);
    if (this.#unread.size === 1) this.#readNext();
    return false;
  }

  /** A message has gone, however. */
  removed(position: number): void {
    if (this.#unread.size > 0) this.#unread.delete(position);
    if (this.#untaken.size > 0) this.#untaken.delete(position);
  }

  /** Every message has gone, and the queue with them. */
  end(): void {
    this.#isOver = true;
    this.#unread.clear();
    this.#untaken.clear();
    this.#goOn.clear();
    this.#retry.clear();
  }

  /** Whether anybody wants to read a message that has died. */
  #isWanted(dying: Dying): boolean {
    return this.deadLettering !== undefined || this.#isWatched(dying);
  }

  #isWatched({ reason, isKnown }: Dying): boolean {
    return reason === 'expired' && !isKnown && this.#deathWatch.isOn;
  }

  #send(position: number, dying: Dying): boolean {
    const { deadLettering } = this;
    const message = this.#backlog.read(position);
    if (this.#isWatched(dying)) this.#deathWatch.expired(this.#queue, message);
    if (deadLettering === undefined) {
      this.#gone(position, dying);
      return true;
    }
    const letter = deadLettering.prepare(message, dying.reason);
    if (!deadLettering.isCertain) {
      // It leaves first: what its letter brings about may come back to this queue.
      this.#gone(position, dying);
      deadLettering.send(letter);
      return true;
    }
    let isGone = false;
    deadLettering.send(letter, (isTaken) => {
      isGone = isTaken;
      if (this.#isOver) return;
      if (isTaken) this.#gone(position, dying);
      else this.#waitForRoom(position, dying);
    });
    return isGone;
  }

  readonly #readNext = (): void => {
    let left = SLICE_MESSAGES;
    for (const [position, dying] of this.#unread) {
      if (left-- === 0) {
        this.#goOn.set(this.#deadlines.now());
        return;
      }
      const mustBeRead = this.#isWanted(dying) && this.#backlog.has(position);
      if (mustBeRead && !this.#backlog.isInMemory(position)) {
        this.#backlog.load(position, this.#readNext);
        return;
      }
      this.#unread.delete(position);
      if (mustBeRead) this.#send(position, dying);
      else this.#gone(position, dying);
    }
  };

  #waitForRoom(position: number, dying: Dying): void {
    this.#untaken.set(position, { ...dying, isKnown: true });
    this.#retry.set(this.#deadlines.now() + RETRY_MILLISECONDS);
  }

  #sendAgain(): void {
    const due: [number, Dying][] = [];
    for (const each of this.#untaken) {
      if (due.push(each) === SLICE_MESSAGES) break;
    }
    for (const [position] of due) this.#untaken.delete(position);
    for (const [position, dying] of due) this.bury(position, dying);
    if (this.#untaken.size > 0) this.#retry.set(this.#deadlines.now() + RETRY_MILLISECONDS);
  }
}
