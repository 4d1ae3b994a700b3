import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SeededRandom } from '../../wire/seeded-random.js';
import type { WireArguments } from '../../wire/wire-codec.js';
import { type Publication, Publisher, Reader, type Stage } from './actors.js';
import type { BrokerAccess } from './broker-access.js';
import type { ModelQueue } from './model.js';
import type { StreamClient } from './stream-client.js';
import { EXCHANGES, GROUP_BY, GROUPED, KEYS, QUEUES } from './topology-model.js';

/**
 * Random clients of one broker, for one of its lives: they publish with confirms and in
 * transactions, consume, get, acknowledge, reject, requeue, purge, and change the topology.
 */
export class Traffic {
  readonly #broker: BrokerAccess;
  readonly #stage: Stage;
  readonly #random: SeededRandom;
  readonly #burst: number;
  #operator: StreamClient | undefined;
  readonly #publishers: Publisher[] = [];
  #readers: Reader[] = [];

  /** `burst`: how many messages are published at once, at most. */
  constructor(broker: BrokerAccess, stage: Stage, random: SeededRandom, burst: number) {
    this.#burst = burst;
    this.#broker = broker;
    this.#stage = stage;
    this.#random = random;
  }

  /** Connects; `life` names the publishers, whose messages keep their order. */
  async begin(life: number): Promise<void> {
    this.#operator = await this.#broker.connect();
    for (const name of ['one', 'two']) {
      const publisher = new Publisher(`${name} in life ${life}`, this.#stage);
      await publisher.connect(this.#broker);
      this.#publishers.push(publisher);
    }
    const { queues, exchanges } = this.#stage.topology;
    if (queues.size + exchanges.size > 0) return;
    for (const name of ['q0', 'q1', GROUPED]) await this.#declareQueue(name);
    for (const [name, type] of EXCHANGES.slice(0, 1)) await this.#declareExchange(name, type);
  }

  /** Somebody does something. */
  async step(): Promise<void> {
    const random = this.#random;
    const chance = random.below(100);
    if (chance < 45) this.#publish();
    else if (chance < 60) this.#settle();
    else if (chance < 66) await this.#read();
    else if (chance < 70) await this.#transact();
    else if (chance < 73) await this.#purge();
    else if (chance < 80) await this.#changeTopology();
    else if (chance < 82) await this.#readers.splice(random.below(4), 1)[0]?.leave(this.#broker);
    else if (chance < 84) this.#broker.letTimePass(1_000);
    else for (let i = random.below(6); i > 0; i--) await nextTurn();
  }

  #publish(): void {
    const publisher = this.#random.pick(this.#publishers);
    const burst = this.#random.percent(10) ? this.#random.below(this.#burst) : 1;
    for (let i = 0; i < burst; i++) publisher.publish(this.#publication());
  }

  #publication(): Publication {
    const random = this.#random;
    const names = QUEUES.map(([name]) => name);
    const exchange = random.pick(['', '', ...EXCHANGES.map(([name]) => name)]);
    const isThere = exchange === '' || this.#stage.topology.exchanges.has(exchange);
    return {
      exchange: isThere ? exchange : '',
      key: random.pick(exchange === '' || !isThere ? names : KEYS),
      bytes: random.percent(3) ? random.below(20_000) : random.below(300),
      persistent: random.percent(85),
      priority: random.below(6),
      group: random.pick(['', 'a', 'b', 'c', 'd']),
    };
  }

  #settle(): void {
    if (this.#readers.length === 0) return;
    const reader = this.#random.pick(this.#readers);
    if (reader.heldCount === 0) return;
    const how = this.#random.pick(['ack', 'ack', 'ack', 'discard', 'requeue'] as const);
    reader.settle(this.#random.below(reader.heldCount), this.#random.percent(40), how);
  }

  async #read(): Promise<void> {
    const queue = this.#anyQueue();
    if (queue === undefined) return;
    const reader = new Reader(queue, this.#stage);
    await reader.connect(this.#broker);
    this.#readers.push(reader);
    if (this.#random.percent(50)) await reader.consume(this.#broker, 1 + this.#random.below(20));
    else for (let i = this.#random.below(5); i >= 0; i--) await reader.get(this.#broker);
  }

  async #transact(): Promise<void> {
    const queue = this.#anyQueue();
    if (queue === undefined) return;
    const world = this.#broker;
    const reader = new Reader(queue, this.#stage);
    await reader.connect(world);
    for (let i = this.#random.below(4); i > 0; i--) await reader.get(world);
    const count = this.#random.below(4);
    const publications = Array.from({ length: count }, () => this.#publication());
    const commits = this.#random.percent(80);
    await reader.transact(world, this.#random.below(reader.heldCount + 1), publications, commits);
  }

  async #purge(): Promise<void> {
    const queue = this.#anyQueue();
    if (queue === undefined) return;
    await this.barrier();
    const ready = [...queue.copies.values()].filter(
      (copy) => copy.removed === 'no' && !this.#isHeld(copy.id, queue),
    );
    for (const copy of ready) copy.removed = 'maybe';
    await this.#broker.wait(this.#operator!.call('queue.purge', { queue: queue.name }));
    await this.barrier();
    for (const copy of ready) copy.removed = this.#isHeld(copy.id, queue) ? 'no' : 'yes';
  }

  #isHeld(id: number, queue: ModelQueue): boolean {
    const copy = queue.copies.get(id)!;
    return this.#readers.some((reader) => reader.queue === queue && reader.holds(copy));
  }

  async #changeTopology(): Promise<void> {
    const random = this.#random;
    await this.barrier();
    const [queue] = random.pick(QUEUES);
    const [exchange, type] = random.pick(EXCHANGES);
    const hasQueue = this.#stage.topology.queues.has(queue);
    const hasExchange = this.#stage.topology.exchanges.has(exchange);
    if (hasQueue && hasExchange && random.percent(60)) {
      await this.#changeBinding(exchange, queue, random.pick(KEYS));
    } else if (random.percent(50)) {
      if (!hasQueue) await this.#declareQueue(queue);
      else if (random.percent(50)) await this.#deleteQueue(queue);
    } else if (!hasExchange) await this.#declareExchange(exchange, type);
    else if (random.percent(30)) await this.#deleteExchange(exchange);
  }

  async #declareQueue(queue: string): Promise<void> {
    const maxPriority = QUEUES.find(([name]) => name === queue)?.[1] ?? 0;
    const args: WireArguments = {
      ...(maxPriority > 0 ? { 'x-max-priority': maxPriority } : {}),
      ...(queue === GROUPED ? { 'x-group-by': GROUP_BY } : {}),
    };
    const request = { queue, durable: true, arguments: args };
    await this.#change('queue.declare', request, () => this.#stage.topology.declareQueue(queue));
  }

  async #deleteQueue(queue: string): Promise<void> {
    const leaving = this.#readers.filter((each) => each.queue.name === queue);
    this.#readers = this.#readers.filter((each) => !leaving.includes(each));
    for (const reader of leaving) await reader.leave(this.#broker);
    await this.#change('queue.delete', { queue }, () => this.#stage.topology.deleteQueue(queue));
  }

  async #declareExchange(exchange: string, type: string): Promise<void> {
    const request = { exchange, type, durable: true };
    await this.#change('exchange.declare', request, () =>
      this.#stage.topology.exchanges.add(exchange),
    );
  }

  async #deleteExchange(exchange: string): Promise<void> {
    const apply = (): void => this.#stage.topology.deleteExchange(exchange);
    await this.#change('exchange.delete', { exchange }, apply);
  }

  async #changeBinding(exchange: string, queue: string, routingKey: string): Promise<void> {
    const request = { exchange, queue, routingKey };
    const topology = this.#stage.topology;
    if (this.#random.percent(65)) {
      await this.#change('queue.bind', request, () => topology.bind(exchange, queue, routingKey));
    } else {
      const apply = (): void => topology.unbind(exchange, queue, routingKey);
      await this.#change('queue.unbind', request, apply);
    }
  }

  /** Asks for a change and notes it once it is answered; until then it may have happened or not. */
  async #change(what: string, request: WireArguments, apply: () => void): Promise<void> {
    const name = String(what.startsWith('exchange') ? request.exchange : request.queue);
    this.#stage.topology.pending = { what, name, apply };
    await this.#broker.wait(this.#operator!.call(what, request));
    this.#stage.topology.pending = undefined;
    apply();
  }

  /** Waits until the broker has taken in what everybody has sent. */
  async barrier(): Promise<void> {
    for (const actor of [...this.#publishers, ...this.#readers])
      await actor.roundTrip(this.#broker);
  }

  #anyQueue(): ModelQueue | undefined {
    const queues = [...this.#stage.topology.queues.values()];
    return queues.length === 0 ? undefined : this.#random.pick(queues);
  }
}
