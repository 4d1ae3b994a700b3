import type { Message } from '../message.js';
import type { Backlog } from './backlog/backlog.js';
import { PositionTable } from './backlog/position-table.js';
import type { QueueSettings } from './settings.js';

const READY = 1;
const TAKEN = 2;

/**
 * How long a queue may become: the arguments `x-max-length`, `x-max-length-bytes` and `x-overflow`.
 * Only messages that are ready or wait to be tried again count, and of their octets those of the
 * body. The size of each message is
 * remembered if octets are limited: when it goes it may be in memory no longer.
 */
export class LengthLimit {
  readonly #maxLength: number;
  readonly #maxBytes: number;
  /** Whether a message that does not fit is refused, and not an old one dropped. */
  readonly refusesPublish: boolean;
  /** Whether a message that is refused goes to the dead-letter exchange. */
  readonly deadLettersRefused: boolean;
  readonly #backlog: Backlog;
  /** How many messages wait to be tried again; they count, too. */
  readonly #waiting: () => number;
  /** Sizes by position; undefined if octets are not limited. */
  readonly #sizes: PositionTable | undefined;
  #readyBytes = 0;

  /**
   * `backlog` may hold messages already; those that are on the disk alone count without their
   * octets. `stride` says how far apart its positions are.
   */
  constructor(settings: QueueSettings, backlog: Backlog, stride: number, waiting: () => number) {
    this.#maxLength = settings.maxLength ?? Number.POSITIVE_INFINITY;
    this.#maxBytes = settings.maxLengthBytes ?? Number.POSITIVE_INFINITY;
    this.refusesPublish = settings.overflow !== 'drop-head';
    this.deadLettersRefused = settings.overflow === 'reject-publish-dlx';
    this.#backlog = backlog;
    this.#waiting = waiting;
    if (settings.maxLengthBytes === undefined) return;
    this.#sizes = new PositionTable(stride);
    backlog.forEachReady((position) => {
      if (backlog.isInMemory(position)) this.appended(position, backlog.read(position));
    });
  }

  /** Whether a queue with such settings has a limit at all. */
  static isSet(settings: QueueSettings): boolean {
    return settings.maxLength !== undefined || settings.maxLengthBytes !== undefined;
  }

  /** Whether more is ready than may be. */
  get isExceeded(): boolean {
    if (this.#backlog.ready === 0) return false;
    return this.#length > this.#maxLength || this.#readyBytes > this.#maxBytes;
  }

  /**
   * Whether the last of `count` more messages with `bytes` octets in all would be too much, if
   * `takers` of them are delivered at once.
   */
  wouldExceed(count: number, bytes: number, takers: number): boolean {
    const staying = Math.max(count - 1 - takers, 0) + 1;
    if (this.#length + staying > this.#maxLength) return true;
    return this.#readyBytes + (bytes * staying) / count > this.#maxBytes;
  }

  get #length(): number {
    return this.#backlog.ready + this.#waiting();
  }

  appended(position: number, message: Message): void {
    if (this.#sizes === undefined) return;
    this.#sizes.add(position, message.bodyBytes, READY);
    this.#readyBytes += message.bodyBytes;
  }

  /** A ready message has been taken. */
  taken(position: number): void {
    if (this.#sizes?.state(position) !== READY) return;
    this.#readyBytes -= this.#sizes.value(position);
    this.#sizes.setState(position, TAKEN);
  }

  /** A taken message is ready again. */
  returned(position: number): void {
    if (this.#sizes?.state(position) !== TAKEN) return;
    this.#readyBytes += this.#sizes.value(position);
    this.#sizes.setState(position, READY);
  }

  /** A message has gone. */
  removed(position: number): void {
    this.taken(position);
    this.#sizes?.delete(position);
  }
}
