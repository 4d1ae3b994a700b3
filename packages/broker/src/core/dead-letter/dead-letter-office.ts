import type { Passage } from '../deduplication/passage.js';
import type { Exchange } from '../exchange/exchange.js';
import type { Message } from '../message.js';
import type { DeathWatch, Receiver } from '../ports.js';
import type { DeadLetter } from './dead-letter.js';
import { isCycle } from './deaths.js';

/** What the dead-letter office needs of its virtual host. */
export interface DeadLetterRouting {
  findExchange(name: string): Exchange | undefined;
  route(exchange: Exchange, message: Message): readonly Receiver[];
  readonly deathWatch: DeathWatch;
  /** What else is to be done with the message that was routed last. */
  takePassage(): Passage | undefined;
  /** The time of day, in milliseconds since 1970. */
  wallTime(): number;
}

/** Told whether every queue a dead letter was for has taken it, and there was at least one. */
export type Settled = (isTaken: boolean) => void;

/**
 * Publishes dead letters to their exchanges, for all the queues of a virtual host, in the turn they
 * come in. One that is brought about by another (a message that is dropped because a dead letter
 * took its place) is published after it and not within, so that long chains need no stack.
 */
export class DeadLetterOffice {
  readonly #routing: DeadLetterRouting;
  readonly #waiting: { readonly letter: DeadLetter; readonly settled: Settled | undefined }[] = [];
  #isPublishing = false;

  constructor(routing: DeadLetterRouting) {
    this.#routing = routing;
  }

  /** The time of day, in seconds since 1970. */
  get seconds(): number {
    return this.#routing.wallTime() / 1_000;
  }

  /**
   * Publishes a dead letter. It is dropped if there is no such exchange, or nothing is bound to it,
   * or it would go round in circles. With `settled` it is published to all its queues or to none.
   */
  publish(letter: DeadLetter, settled?: Settled): void {
    this.#waiting.push({ letter, settled });
    if (this.#isPublishing) return;
    this.#isPublishing = true;
    try {
      // What is added meanwhile comes last.
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        this.#publishOne(next.letter, next.settled);
      }
    } finally {
      this.#isPublishing = false;
      this.#waiting.length = 0;
    }
  }

  #publishOne(letter: DeadLetter, settled: Settled | undefined): void {
    const { message, reason, deaths } = letter;
    const exchange = this.#routing.findExchange(message.exchange);
    let queues = exchange === undefined ? [] : this.#routing.route(exchange, message);
    const passage = exchange === undefined ? undefined : this.#routing.takePassage();
    if (reason !== 'rejected') queues = queues.filter(({ name }) => !isCycle(deaths, name));
    let isTaken = queues.length > 0;
    if (settled === undefined) {
      this.#tell(letter, queues);
      for (const queue of queues) if (!queue.publish(message)) isTaken = false;
    } else {
      isTaken = isTaken && queues.every((queue) => !queue.wouldRefuse(1, message.bodyBytes));
      if (isTaken) {
        this.#tell(letter, queues);
        for (const queue of queues) queue.publish(message);
      }
    }
    passage?.settle(message, isTaken);
    settled?.(isTaken);
  }

  #tell({ queue, message, reason }: DeadLetter, queues: readonly Receiver[]): void {
    const { deathWatch } = this.#routing;
    if (deathWatch.isOn) deathWatch.deadLettered(queue, message, reason, queues);
  }
}
