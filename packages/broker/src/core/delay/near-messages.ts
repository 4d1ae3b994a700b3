import { TimeHeap } from '../../base/time-heap.js';
import type { MessageStore } from '../../store/message-store.js';
import type { Message } from '../message.js';

/** How many are read before they are due, at most, and how many octets of them, more or less. */
const AHEAD_MESSAGES = 32_768;
const AHEAD_BYTES = 67_108_864;
/** How many are read at once: the more, the fewer octets between them are read in vain. */
const READ_MESSAGES = 16_384;
/** How long before it is due, at the latest, a message is asked for, in milliseconds. */
const READ_MILLISECONDS_MIN = 250;
/** What a message is taken to have before any has been seen, in octets. */
const BODY_BYTES_DEFAULT = 4_096;
/** So many messages make up the average. */
const AVERAGE_MESSAGES = 64;

/** What is told, and asked, of whoever knows the messages. */
export interface NearMessagesPorts {
  readonly store: MessageStore<Message>;
  /** Whether a message still waits. */
  readonly has: (position: number) => boolean;
  /** Something has been read, and may be due. */
  readonly read: () => void;
}

/**
 * The delayed messages that are due soon, in order of time. They are brought into memory before
 * their time, many with one read: neighbours in time lie anywhere on the disk.
 */
export class NearMessages {
  readonly #ports: NearMessagesPorts;
  /** Due times and positions. */
  readonly #heap = new TimeHeap();
  /** Of the bodies seen last: how much is read before it is due goes by it. */
  #averageBytes = BODY_BYTES_DEFAULT;
  /** What has come near and has to be read, and when the first of it is due. */
  #unread: number[] = [];
  #unreadDue = Number.POSITIVE_INFINITY;
  #isReading = false;
  #isReadingFirst = false;

  constructor(ports: NearMessagesPorts) {
    this.#ports = ports;
  }

  get size(): number {
    return this.#heap.size;
  }

  /** When the first is due; there must be one. */
  get firstTime(): number {
    return this.#heap.firstTime;
  }

  /** The position of the first; there must be one. */
  get firstPosition(): number {
    return this.#heap.firstNumber;
  }

  /** Whether more may come near. */
  get hasRoom(): boolean {
    const most = Math.min(AHEAD_MESSAGES, AHEAD_BYTES / this.#averageBytes);
    return this.#heap.size < Math.max(1, most);
  }

  /** When {@link readAhead} has something to do, if there is anything. */
  get readTime(): number {
    return this.#isReading ? Number.POSITIVE_INFINITY : this.#unreadDue - READ_MILLISECONDS_MIN;
  }

  /** Adds a message that is in memory, be it that it is there only until it has been written. */
  push(due: number, position: number): void {
    this.#heap.push(due, position);
  }

  /** Adds a message that is to be in memory by the time it is due. */
  bring(due: number, position: number): void {
    this.#heap.push(due, position);
    if (!this.#isMissing(position)) return;
    if (this.#unread.length === 0) this.#unreadDue = due;
    this.#unread.push(position);
  }

  pop(): void {
    this.#heap.pop();
  }

  saw({ bodyBytes }: Message): void {
    this.#averageBytes += (bodyBytes - this.#averageBytes) / AVERAGE_MESSAGES;
  }

  forEach(visit: (due: number, position: number) => void): void {
    this.#heap.forEach(visit);
  }

  filter(isKept: (position: number) => boolean): void {
    this.#heap.filter(isKept);
  }

  clear(): void {
    this.#heap.clear();
    this.#unread = [];
  }

  /** Reads what has come near, when that is enough to be worth it, or must not wait any more. */
  readAhead(now: number): void {
    if (this.#isReading || this.#unread.length === 0) return;
    const isMuch = this.#unread.length * 2 >= this.#heap.size;
    if (!isMuch && this.readTime > now) return;
    // The first of them are due first.
    const positions = this.#unread.splice(0, READ_MESSAGES);
    this.#unreadDue = this.#unread.length > 0 ? now : Number.POSITIVE_INFINITY;
    this.#isReading = true;
    this.#ports.store.loadAll(positions, () => {
      this.#isReading = false;
      this.#ports.read();
    });
  }

  /** Reads the first, which is due, and whatever is due soon after and is not in memory either. */
  readFirst(now: number): void {
    if (this.#isReadingFirst) return;
    const positions: number[] = [];
    this.#heap.forEachUpTo(now + READ_MILLISECONDS_MIN, (position) => {
      if (positions.length < READ_MESSAGES && this.#isMissing(position)) positions.push(position);
    });
    this.#isReadingFirst = true;
    this.#ports.store.loadAll(positions, () => {
      this.#isReadingFirst = false;
      this.#ports.read();
    });
  }

  #isMissing(position: number): boolean {
    return this.#ports.has(position) && !this.#ports.store.isInMemory(position);
  }
}
