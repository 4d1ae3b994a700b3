import type { Backlog } from './backlog/backlog.js';
import type { QueueSettings } from './settings.js';

/**
 * How long a queue may become: the arguments `x-max-length`, `x-max-length-bytes` and `x-overflow`.
 * Only messages that are ready, or wait to be tried again, count, and of their octets those of the
 * body.
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
  /** Whether octets are limited; otherwise they are not counted. */
  readonly #countsBytes: boolean;
  #readyBytes = 0;

  /** `backlog` may hold messages already, in memory or on the disk alone. */
  constructor(settings: QueueSettings, backlog: Backlog, waiting: () => number) {
    this.#maxLength = settings.maxLength ?? Number.POSITIVE_INFINITY;
    this.#maxBytes = settings.maxLengthBytes ?? Number.POSITIVE_INFINITY;
    this.refusesPublish = settings.overflow !== 'drop-head';
    this.deadLettersRefused = settings.overflow === 'reject-publish-dlx';
    this.#backlog = backlog;
    this.#waiting = waiting;
    this.#countsBytes = settings.maxLengthBytes !== undefined;
    if (this.#countsBytes) backlog.forEachReady((position) => this.joined(position));
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

  /** A message is ready, which is new or has been given back. */
  joined(position: number): void {
    if (this.#countsBytes) this.#readyBytes += this.#backlog.bodyBytes(position);
  }

  /** A ready message has been taken, or goes now. */
  left(position: number): void {
    if (this.#countsBytes) this.#readyBytes -= this.#backlog.bodyBytes(position);
  }
}
