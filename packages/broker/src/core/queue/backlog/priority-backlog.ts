import type { MessageStore, Remembered, Returned } from '../../../store/message-store.js';
import type { Message } from '../../message.js';
import type { Backlog } from './backlog.js';
import { FifoBacklog } from './fifo-backlog.js';

/** Room for the level in a position: `x-max-priority` is at most 255. */
export const LEVELS = 256;

/**
 * Messages by priority, each level in the order it came: the argument `x-max-priority`. A message
 * without a priority has 0, and one above the maximum counts as the maximum.
 *
 * A position here is the level's own position × 256 + the level. Levels come into being with their
 * first message, and taking looks only at the highest in use, so that a queue declared with 255
 * levels costs what it uses.
 */
export class PriorityBacklog implements Backlog {
  readonly #newStore: (level: number) => MessageStore<Message>;
  readonly #maximum: number;
  readonly #levels: (FifoBacklog | undefined)[] = [];
  /** No level above this one has a ready message. */
  #top = 0;
  #ready = 0;
  redelivered = false;
  onLost: (position: number, wasReady: boolean) => void = () => {};

  /** `levels`: those that hold messages from before the broker started. */
  constructor(
    maximum: number,
    newStore: (level: number) => MessageStore<Message>,
    levels: readonly number[],
  ) {
    this.#maximum = maximum;
    this.#newStore = newStore;
    for (const level of levels) {
      this.#ready += this.#open(level).ready;
      if (level > this.#top) this.#top = level;
    }
  }

  get isAtHand(): boolean {
    return this.#ready === 0 || this.#highest().isAtHand;
  }

  fetch(then: () => void): void {
    this.#highest().fetch(then);
  }

  get ready(): number {
    return this.#ready;
  }

  get hasNext(): boolean {
    return this.#ready > 0;
  }

  append(message: Message, expiresAt = 0): number {
    const level = Math.min(message.priority, this.#maximum);
    const backlog = this.#levels[level] ?? this.#open(level);
    this.#ready++;
    if (level > this.#top) this.#top = level;
    return backlog.append(message, expiresAt) * LEVELS + level;
  }

  take(): number {
    if (this.#ready === 0) return -1;
    const backlog = this.#highest();
    const position = backlog.take();
    this.redelivered = backlog.redelivered;
    this.#ready--;
    return position * LEVELS + this.#top;
  }

  takeOldest(): number {
    return this.take();
  }

  read(position: number): Message {
    return this.#level(position % LEVELS).read(Math.floor(position / LEVELS));
  }

  giveBack(position: number): void {
    const level = position % LEVELS;
    this.#level(level).giveBack(Math.floor(position / LEVELS));
    this.#ready++;
    if (level > this.#top) this.#top = level;
  }

  letGo(): void {}

  withhold(position: number): boolean {
    const isWithheld = this.#level(position % LEVELS).withhold(Math.floor(position / LEVELS));
    if (isWithheld) this.#ready--;
    return isWithheld;
  }

  remove(position: number): void {
    this.#level(position % LEVELS).remove(Math.floor(position / LEVELS));
  }

  drop(position: number): void {
    this.#level(position % LEVELS).drop(Math.floor(position / LEVELS));
    this.#ready--;
  }

  has(position: number): boolean {
    return this.#level(position % LEVELS).has(Math.floor(position / LEVELS));
  }

  isInMemory(position: number): boolean {
    return this.#level(position % LEVELS).isInMemory(Math.floor(position / LEVELS));
  }

  load(position: number, then: () => void): void {
    this.#level(position % LEVELS).load(Math.floor(position / LEVELS), then);
  }

  forEachReady(visit: (position: number) => void): void {
    this.#levels.forEach((backlog, level) => {
      backlog?.forEachReady((position) => visit(position * LEVELS + level));
    });
  }

  noteReturns(position: number, returned: Returned): void {
    this.#level(position % LEVELS).noteReturns(Math.floor(position / LEVELS), returned);
  }

  takeRemembered(visit: (position: number, remembered: Remembered) => void): void {
    this.#levels.forEach((backlog, level) => {
      backlog?.takeRemembered((position, remembered) =>
        visit(position * LEVELS + level, remembered),
      );
    });
  }

  bodyBytes(position: number): number {
    return this.#level(position % LEVELS).bodyBytes(Math.floor(position / LEVELS));
  }

  shrink(): void {
    for (const backlog of this.#levels) backlog?.shrink();
  }

  settle(): void {
    for (const backlog of this.#levels) backlog?.settle();
  }

  forEach(visit: (message: Message) => void): void {
    for (const backlog of this.#levels) backlog?.forEach(visit);
  }

  clear(): void {
    for (const backlog of this.#levels) backlog?.clear();
    this.#ready = 0;
  }

  /** Priority goes before everything else: there are no groups here. */
  groupedBy(): this {
    return this;
  }

  /** The highest level with a ready message; there must be one. */
  #highest(): FifoBacklog {
    while ((this.#levels[this.#top]?.ready ?? 0) === 0) this.#top--;
    return this.#level(this.#top);
  }

  #open(level: number): FifoBacklog {
    const backlog = new FifoBacklog(this.#newStore(level));
    backlog.onLost = (position, wasReady) => {
      if (wasReady) this.#ready--;
      this.onLost(position * LEVELS + level, wasReady);
    };
    this.#levels[level] = backlog;
    return backlog;
  }

  #level(level: number): FifoBacklog {
    const backlog = this.#levels[level];
    if (backlog === undefined) throw new RangeError(`no message has priority ${level}`);
    return backlog;
  }
}
