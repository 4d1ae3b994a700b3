import type { SeededRandom } from '../wire/seeded-random.js';
import type { WireArguments } from '../wire/wire-codec.js';

/** One thing a client does. `basic.publish` has properties, and a body that numbers it. */
export interface Step {
  readonly channel: number;
  readonly method: string;
  readonly args: WireArguments;
  readonly properties?: WireArguments;
}

/** The names a script works on, which are its own. */
export interface ScriptNames {
  readonly queues: readonly string[];
  readonly exchanges: readonly string[];
  /** A queue and an exchange that are not there at first. */
  readonly absent: string;
}

const scriptChannels: readonly number[] = [1, 2, 3];

/**
 * A client's life of so many steps: declarations, then whatever comes, right and wrong. Left out is
 * what RabbitMQ answers at random or fails at, and what depends on the time, as TTL does.
 */
export function clientScript(random: SeededRandom, names: ScriptNames, length: number): Step[] {
  const draw = new Draw(random, names);
  const steps: Step[] = names.queues.map((queue) => ({
    channel: 1,
    method: 'queue.declare',
    args: { queue, arguments: draw.usefulQueueArguments() },
  }));
  for (const [index, exchange] of names.exchanges.entries()) {
    const type = random.pick(['topic', 'headers', 'direct', 'fanout']);
    steps.push({ channel: 1, method: 'exchange.declare', args: { exchange, type } });
    const binding = { exchange, queue: names.queues[index]!, routingKey: draw.key() };
    steps.push({ channel: 1, method: 'queue.bind', args: binding });
  }
  for (let count = 0; count < length; count++) {
    const [method, args, properties] = draw.step();
    const channel = random.pick(scriptChannels);
    steps.push({ channel, method, args, ...(properties ? { properties } : {}) });
  }
  return steps;
}

type Drawn = readonly [method: string, args: WireArguments, properties?: WireArguments];

/** Draws methods and their arguments. */
class Draw {
  readonly #random: SeededRandom;
  readonly #names: ScriptNames;
  #tags = 0;

  constructor(random: SeededRandom, names: ScriptNames) {
    this.#random = random;
    this.#names = names;
  }

  step(): Drawn {
    const random = this.#random;
    const choice = random.below(100);
    if (choice < 26) return this.#publish();
    if (choice < 40) return ['basic.get', { queue: this.#queue(), noAck: random.percent(50) }];
    if (choice < 50) return this.#settlement();
    if (choice < 62) return this.#consuming();
    if (choice < 70) return this.#binding();
    if (choice < 80) return this.#queueDeclaration();
    if (choice < 86) return this.#exchangeDeclaration();
    if (choice < 94) return this.#removal();
    if (choice < 95) return [random.pick(['tx.select', 'confirm.select']), {}];
    if (choice < 97) return [random.pick(['tx.commit', 'tx.commit', 'tx.rollback']), {}];
    return ['channel.close', { replyCode: 200 }];
  }

  usefulQueueArguments(): Record<string, unknown> {
    const [own, other] = [
      this.#random.pick(this.#names.exchanges),
      this.#random.pick(this.#names.queues),
    ];
    return this.#random.pick<Record<string, unknown>>([
      {},
      {},
      { 'x-max-priority': 5 },
      { 'x-single-active-consumer': true },
      { 'x-max-length': 2 },
      { 'x-max-length': 2, 'x-overflow': 'reject-publish' },
      { 'x-max-length-bytes': 25, 'x-dead-letter-exchange': own },
      { 'x-dead-letter-exchange': own },
      { 'x-max-length': 1, 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': other },
      { 'x-max-length': 1, 'x-overflow': 'reject-publish-dlx', 'x-dead-letter-exchange': own },
    ]);
  }

  key(): string {
    return this.#random.pick(['', 'a', 'a.b', '#', '*', 'a.*', ...this.#names.queues]);
  }

  #queue(): string {
    if (this.#random.percent(94)) return this.#random.pick(this.#names.queues);
    return this.#random.pick(['', this.#names.absent, 'amq.mine']);
  }

  #exchange(): string {
    if (this.#random.percent(94)) return this.#random.pick(this.#names.exchanges);
    return this.#random.pick(['', this.#names.absent, 'amq.mine', 'amq.headers', 'amq.direct']);
  }

  #percent(chance: number): boolean {
    return this.#random.percent(chance);
  }

  #publish(): Drawn {
    const isToQueue = this.#percent(40);
    const args = {
      exchange: isToQueue ? '' : this.#exchange(),
      routingKey: isToQueue ? this.#random.pick(this.#names.queues) : this.key(),
      mandatory: this.#percent(40),
    };
    const properties: Record<string, WireArguments[string]> = {};
    if (this.#percent(40)) properties.headers = this.#headers();
    if (this.#percent(20)) properties.priority = this.#random.pick([0, 1, 5, 9, 200]);
    if (this.#percent(20)) properties.deliveryMode = this.#random.pick([1, 2, 2, 2, 3]);
    if (this.#percent(5)) properties.expiration = this.#random.pick(['600000', 'x', '-1', '']);
    if (this.#percent(3)) properties.replyTo = 'amq.rabbitmq.reply-to';
    return ['basic.publish', args, properties];
  }

  #headers(): WireArguments[string] {
    if (!this.#percent(30)) return this.#table(['a', 'b', 'x-c']);
    const queue = this.#random.pick(this.#names.queues);
    const value = this.#random.pick([
      [queue],
      [],
      [queue, 5],
      [[queue]],
      'text',
      7,
      null,
      { a: 1 },
    ]);
    return { [this.#random.pick(['CC', 'BCC'])]: value };
  }

  #settlement(): Drawn {
    const deliveryTag = this.#random.below(5);
    const requeue = this.#percent(80);
    const multiple = this.#percent(50);
    return this.#random.pick<Drawn>([
      ['basic.ack', { deliveryTag, multiple }],
      ['basic.nack', { deliveryTag, multiple, requeue }],
      ['basic.reject', { deliveryTag, requeue }],
      ['basic.recover', { requeue: true }],
    ]);
  }

  #consuming(): Drawn {
    if (this.#percent(20)) {
      const args = { prefetchCount: this.#random.below(3), global: this.#percent(30) };
      return ['basic.qos', args];
    }
    if (this.#percent(20)) {
      return ['basic.cancel', { consumerTag: `c${this.#random.below(this.#tags + 1)}` }];
    }
    const args = {
      queue: this.#queue(),
      consumerTag: `c${this.#tags++}`,
      noAck: this.#percent(40),
      exclusive: this.#percent(10),
      nowait: this.#percent(10),
      arguments: this.#percent(80) ? {} : this.#table(['x-priority', 'x-unknown']),
    };
    return ['basic.consume', args];
  }

  #binding(): Drawn {
    const routingKey = this.key();
    const table = this.#percent(50) ? {} : this.#table(['x-match', 'a', 'b', 'x-c']);
    const options = { routingKey, nowait: this.#percent(10), arguments: table };
    const queueBinding = { queue: this.#queue(), exchange: this.#exchange(), routingKey };
    const exchanges = { source: this.#exchange(), destination: this.#exchange() };
    return this.#random.pick<Drawn>([
      ['queue.bind', { ...queueBinding, ...options }],
      ['queue.bind', { ...queueBinding, ...options }],
      ['queue.unbind', { ...queueBinding, arguments: table }],
      ['exchange.bind', { ...exchanges, ...options }],
      ['exchange.unbind', { ...exchanges, ...options }],
    ]);
  }

  #queueDeclaration(): Drawn {
    const queue = this.#queue();
    // RabbitMQ fails inside where a queue it has to name gets a type that is no string.
    const isPlain = queue === '' || this.#percent(60);
    const args = {
      queue,
      passive: this.#percent(20),
      durable: this.#percent(10),
      exclusive: this.#percent(10),
      autoDelete: this.#percent(10),
      nowait: this.#percent(10),
      arguments: isPlain ? {} : this.#table(queueArguments),
    };
    return ['queue.declare', args];
  }

  #exchangeDeclaration(): Drawn {
    const alternate = { 'alternate-exchange': this.#random.pick(this.#names.exchanges) };
    const args = {
      exchange: this.#exchange(),
      type: this.#random.pick(['direct', 'fanout', 'topic', 'headers']),
      passive: this.#percent(20),
      durable: this.#percent(10),
      autoDelete: this.#percent(15),
      internal: this.#percent(10),
      nowait: this.#percent(10),
      arguments: this.#percent(60) ? {} : this.#random.pick([alternate, this.#table(['x-other'])]),
    };
    return ['exchange.declare', args];
  }

  #removal(): Drawn {
    const nowait = this.#percent(10);
    const ifUnused = this.#percent(30);
    const queue = this.#queue();
    return this.#random.pick<Drawn>([
      ['queue.purge', { queue, nowait }],
      ['queue.purge', { queue, nowait }],
      ['queue.delete', { queue, ifUnused, ifEmpty: this.#percent(30), nowait }],
      ['exchange.delete', { exchange: this.#exchange(), ifUnused, nowait }],
    ]);
  }

  #table(keys: readonly string[]): Record<string, unknown> {
    const table: Record<string, unknown> = {};
    for (let count = this.#random.below(3); count > 0; count--) {
      table[this.#random.pick(keys)] = this.#random.pick(tableValues);
    }
    return table;
  }
}

const queueArguments = [
  'x-max-priority',
  'x-queue-type',
  'x-dead-letter-exchange',
  'x-dead-letter-routing-key',
  'x-queue-mode',
  'x-overflow',
  'x-unknown',
];

/** Values right and wrong, equal and not; of the types only some, as RabbitMQ fails at a few. */
const tableValues: readonly unknown[] = [
  5,
  0,
  -1,
  300,
  'a',
  '',
  'all',
  'any',
  'any-with-x',
  'classic',
  'drop-head',
  true,
  false,
  null,
  1.5,
  [1, 'a'],
  [],
  { a: 1 },
  {},
  { '!': 'int', value: 5 },
  { '!': 'long', value: 5 },
  { '!': 'double', value: 5 },
  { '!': 'float', value: 5 },
  { '!': 'unsignedint', value: 5 },
  { '!': 'timestamp', value: 5 },
];
