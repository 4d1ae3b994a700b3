import { type Random, uniqueName } from '../base/random.js';
import type { Message } from './message.js';

/** Direct reply-to: the queue name that stands for "answer me here, without a queue". */
export const REPLY_TO = 'amq.rabbitmq.reply-to';

const PREFIX = `${REPLY_TO}.`;

/** Where the replies to an address go: a channel. */
export interface ReplySink {
  /** Takes a reply; the message may be borrowed. */
  deliverReply(message: Message): void;
}

/**
 * The addresses of channels that wait for direct replies. A request carries its channel's address
 * in `reply-to`; who answers publishes to the default exchange with it as the routing key.
 */
export class ReplyAddresses {
  readonly #random: Random;
  readonly #sinks = new Map<string, ReplySink>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** Makes up an address that nobody can guess. */
  open(sink: ReplySink): string {
    const address = uniqueName(this.#random, `${PREFIX}g1`);
    this.#sinks.set(address, sink);
    return address;
  }

  close(address: string): void {
    this.#sinks.delete(address);
  }

  /** Where a message published to the default exchange goes, if its routing key is an address. */
  find(routingKey: string): ReplySink | undefined {
    return routingKey.startsWith(PREFIX) ? this.#sinks.get(routingKey) : undefined;
  }
}
