import { deadLetter } from '../dead-letter/dead-letter.js';
import type { DeadLetterOffice } from '../dead-letter/dead-letter-office.js';
import { readDeaths } from '../dead-letter/deaths.js';
import type { Message } from '../message.js';
import type { ExchangeDeduplication } from './exchange-deduplication.js';
import type { MessageKey } from './message-key.js';

/** Where a message died that an exchange has held back: it was in no queue. */
const NO_QUEUE = '';

/**
 * A message on its way through exchanges that hold duplicates back: what they are to remember once
 * it has been taken, and where it went no further. A message that nobody takes, or a queue refuses,
 * is not remembered: its publisher sends it again.
 */
export class Passage {
  readonly #office: DeadLetterOffice;
  readonly #passed: { readonly by: ExchangeDeduplication; readonly key: MessageKey }[] = [];
  readonly #heldBack: ExchangeDeduplication[] = [];

  constructor(office: DeadLetterOffice) {
    this.#office = office;
  }

  /** Whether some exchange has held it back. */
  get isHeldBack(): boolean {
    return this.#heldBack.length > 0;
  }

  /** Whether it may go on from an exchange. */
  passes(by: ExchangeDeduplication, message: Message): boolean {
    const key = by.keyOf(message);
    if (key === undefined) return true;
    if (by.isDuplicate(key)) {
      this.#heldBack.push(by);
      return false;
    }
    this.#passed.push({ by, key });
    return true;
  }

  /** Whether what passed would be held back now: it was staged, and another came before it. */
  get isLate(): boolean {
    return this.#passed.some(({ by, key }) => by.isDuplicate(key));
  }

  /** The message has reached its queues; `isTaken` says whether there were any, and all took it. */
  settle(message: Message, isTaken: boolean): void {
    if (isTaken) for (const { by, key } of this.#passed) by.taken(key, message.persistent);
    for (const by of this.#heldBack) {
      by.keptOut();
      this.#bury(by, message);
    }
  }

  #bury({ settings }: ExchangeDeduplication, message: Message): void {
    const { deadLetterExchange, deadLetterRoutingKey: routingKey } = settings;
    if (deadLetterExchange === undefined) return;
    // Its dead letter may have led it back here: once is enough.
    const deaths = readDeaths(message.headers()) ?? [];
    if (deaths.some(({ reason, queue }) => reason === 'duplicate' && queue === NO_QUEUE)) return;
    const address = { queue: NO_QUEUE, exchange: deadLetterExchange, routingKey };
    this.#office.publish(deadLetter(message, 'duplicate', address, this.#office.seconds));
  }
}
