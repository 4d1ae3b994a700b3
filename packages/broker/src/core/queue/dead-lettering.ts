import { type DeadLetter, type DeadLetterAddress, deadLetter } from '../dead-letter/dead-letter.js';
import type { DeadLetterOffice, Settled } from '../dead-letter/dead-letter-office.js';
import type { DeathReason } from '../dead-letter/deaths.js';
import type { Message } from '../message.js';
import type { QueueSettings } from './settings.js';

/**
 * What becomes of a queue's dead: the arguments `x-dead-letter-exchange`,
 * `x-dead-letter-routing-key` and `x-dead-letter-strategy`.
 */
export class DeadLettering {
  /** Whether a message may leave the queue only when the next has it: `at-least-once`. */
  readonly isCertain: boolean;
  readonly #office: DeadLetterOffice;
  readonly #address: DeadLetterAddress;

  private constructor(office: DeadLetterOffice, address: DeadLetterAddress, isCertain: boolean) {
    this.#office = office;
    this.#address = address;
    this.isCertain = isCertain;
  }

  /**
   * By a queue's settings; undefined if its dead are just gone. As in RabbitMQ, `at-least-once`
   * needs the overflow `reject-publish`: a queue that has to drop messages cannot keep them.
   */
  static of(
    queue: string,
    settings: QueueSettings,
    office: DeadLetterOffice,
  ): DeadLettering | undefined {
    const { deadLetterExchange: exchange, deadLetterRoutingKey: routingKey } = settings;
    if (exchange === undefined) return undefined;
    const isCertain =
      settings.deadLetterStrategy === 'at-least-once' && settings.overflow === 'reject-publish';
    return new DeadLettering(office, { queue, exchange, routingKey }, isCertain);
  }

  /** Makes a dead letter of a message, which is not needed any more after that. */
  prepare(message: Message, reason: DeathReason): DeadLetter {
    return deadLetter(message, reason, this.#address, this.#office.seconds);
  }

  /** Publishes a dead letter; see {@link DeadLetterOffice.publish}. */
  send(letter: DeadLetter, settled?: Settled): void {
    this.#office.publish(letter, settled);
  }
}
