import type { FieldTable, FieldValue } from '@leveret/amqp';
import { KeyCount } from '../deduplication/key-count.js';
import { nameOf, Refusal } from '../refusal.js';

/** How much of what peers declare there may be in all virtual hosts together. */
export interface TopologyLimits {
  /** Queues. More: channel.close 406, as with RabbitMQ's `cluster_queue_limit`. */
  readonly queuesMax: number;
  /**
   * Exchanges, those included that are there from the start. More: channel.close 406, as with
   * RabbitMQ's `cluster_exchange_limit`.
   */
  readonly exchangesMax: number;
  /** Bindings. More: channel.close 406. */
  readonly bindingsMax: number;
  /** Consumers of queues. More: channel.close 406. */
  readonly consumersMax: number;
  /**
   * What the arguments of all these take together, in octets as they come over the wire, with 64
   * more for each value; for a binding key of more than eight words 256 more for each further word,
   * which a topic exchange keeps one by one. More: channel.close 406.
   */
  readonly argumentBytesMax: number;
  /**
   * Keys that queues and exchanges remember to keep duplicates out. One more: a window forgets its
   * oldest; a queue that keeps none does not remember it.
   */
  readonly deduplicationKeysMax: number;
}

/** By default what takes some hundred megabytes of each. */
export const TOPOLOGY_LIMITS: TopologyLimits = {
  queuesMax: 131_072,
  exchangesMax: 131_072,
  bindingsMax: 524_288,
  consumersMax: 524_288,
  argumentBytesMax: 134_217_728,
  deduplicationKeysMax: 4_194_304,
};

/** What is counted. */
export type Counted = 'queue' | 'exchange' | 'binding' | 'consumer';

const LIMIT_OF = {
  queue: 'queuesMax',
  exchange: 'exchangesMax',
  binding: 'bindingsMax',
  consumer: 'consumersMax',
} as const;

/** What a word of a binding key takes, and how many there may be before they count. */
const WORD_BYTES = 256;
const WORDS_USUAL = 8;

/** What a value takes in memory besides its octets. */
const VALUE_BYTES = 64;

/**
 * Counts what peers declare in all virtual hosts of a broker: it stays in memory, and nothing else
 * bounds it. What is put back when a broker starts is counted and never refused.
 */
export class TopologyQuotas {
  readonly #limits: TopologyLimits;
  readonly #counts: Record<Counted, number> = { queue: 0, exchange: 0, binding: 0, consumer: 0 };
  #argumentBytes = 0;
  readonly deduplicationKeys: KeyCount;

  constructor(limits: TopologyLimits) {
    this.#limits = limits;
    this.deduplicationKeys = new KeyCount(limits.deduplicationKeysMax);
  }

  /** How many there are. */
  get counts(): Readonly<Record<Counted, number>> {
    return this.#counts;
  }

  /** What their arguments take, in octets, see {@link TopologyLimits.argumentBytesMax}. */
  get argumentBytes(): number {
    return this.#argumentBytes;
  }

  /** Throws a Refusal if there are as many queues as may be. */
  checkQueue(name: string, vhost: string, args: FieldTable): void {
    const { queuesMax } = this.#limits;
    if (this.#isReached('queue')) {
      refuse(`cannot declare queue '${name}': queue limit in cluster (${queuesMax}) is reached`);
    }
    this.#checkArguments(args, '', () => `cannot declare ${nameOf('queue', name, vhost)}`);
  }

  /** Throws a Refusal if there are as many exchanges as may be. */
  checkExchange(name: string, vhost: string, args: FieldTable): void {
    const what = (): string => `cannot declare ${nameOf('exchange', name, vhost)}`;
    this.#check('exchange', args, '', what);
  }

  /** Throws a Refusal if there are as many bindings as may be. */
  checkBinding(source: string, vhost: string, key: string, args: FieldTable): void {
    this.#check('binding', args, key, () => `cannot bind to ${nameOf('exchange', source, vhost)}`);
  }

  /** Throws a Refusal if there are as many consumers as may be. */
  checkConsumer(queue: string, vhost: string, args: FieldTable): void {
    this.#check('consumer', args, '', () => `cannot consume from ${nameOf('queue', queue, vhost)}`);
  }

  /** `key`: of a binding. */
  added(what: Counted, args: FieldTable, key: string = ''): void {
    this.#counts[what]++;
    this.#argumentBytes += bytesOf(args) + keyBytes(key);
  }

  removed(what: Counted, args: FieldTable, key: string = ''): void {
    this.#counts[what]--;
    this.#argumentBytes -= bytesOf(args) + keyBytes(key);
  }

  #isReached(what: Counted): boolean {
    return this.#counts[what] >= this.#limits[LIMIT_OF[what]];
  }

  #check(what: Counted, args: FieldTable, key: string, action: () => string): void {
    if (this.#isReached(what)) {
      refuse(`${action()}: ${what} limit of ${this.#limits[LIMIT_OF[what]]} is reached`);
    }
    this.#checkArguments(args, key, action);
  }

  #checkArguments(args: FieldTable, key: string, action: () => string): void {
    const { argumentBytesMax } = this.#limits;
    const bytes = bytesOf(args) + keyBytes(key);
    if (bytes === 0 || this.#argumentBytes + bytes <= argumentBytesMax) return;
    refuse(
      `${action()}: there is no room for its arguments, those of everything declared may take ` +
        `${argumentBytesMax} bytes`,
    );
  }
}

function refuse(text: string): never {
  throw new Refusal('precondition-failed', text);
}

/** What a binding key takes that has more words than they usually have. */
function keyBytes(key: string): number {
  if (key.length < WORDS_USUAL) return 0;
  const words = key.split('.').length;
  return Math.max(words - WORDS_USUAL, 0) * WORD_BYTES;
}

/** What arguments take. */
function bytesOf(args: FieldTable): number {
  let bytes = 0;
  for (const [key, value] of args) bytes += key.length + valueBytes(value);
  return bytes;
}

function valueBytes(field: FieldValue): number {
  switch (field.type) {
    case 'S':
    case 'x':
      return VALUE_BYTES + field.value.length;
    case 'A':
      return field.value.reduce((bytes, each) => bytes + valueBytes(each), VALUE_BYTES);
    case 'F':
      return VALUE_BYTES + bytesOf(field.value);
    default:
      return VALUE_BYTES;
  }
}
