import { bodyOf, idOf } from './bodies.js';
import type { BrokerAccess } from './broker-access.js';
import { type Copy, type ModelQueue, ModelTransaction } from './model.js';
import type { Progress } from './progress.js';
import type { Received, StreamClient } from './stream-client.js';
import type { TopologyModel } from './topology-model.js';

/** What is to be published. */
export interface Publication {
  readonly exchange: string;
  readonly key: string;
  readonly bytes: number;
  readonly persistent: boolean;
  readonly priority: number;
  /** Empty for none. */
  readonly group: string;
}

/** What all actors of a simulation share. */
export interface Stage {
  readonly topology: TopologyModel;
  readonly progress: Progress;
  readonly nextId: () => number;
  /** What was seen that must not be. */
  readonly problems: string[];
}

/** Notes that a message goes where its address leads. */
function place(
  stage: Stage,
  { exchange, key, persistent, priority, group }: Publication,
  id: number,
  by: { readonly publisher: string; readonly order: number },
  publishedIn?: ModelTransaction,
): Copy[] {
  return stage.topology.route(exchange, key).map((queue) => {
    const copy: Copy = {
      ...{ id, persistent, priority, group, ...by, publishedIn },
      ...{
        isConfirmed: false,
        isDelivered: false,
        wasNew: false,
        removed: 'no',
        removedIn: undefined,
      },
    };
    queue.copies.set(id, copy);
    return copy;
  });
}

function send(client: StreamClient, publication: Publication, id: number): void {
  const { exchange, key, bytes, persistent, priority, group } = publication;
  const correlation = group === '' ? {} : { correlationId: group };
  const properties = { deliveryMode: persistent ? 2 : 1, priority, ...correlation };
  client.publish({ exchange, routingKey: key }, bodyOf(id, bytes), properties);
}

/** Publishes with confirms. */
export class Publisher {
  readonly name: string;
  readonly #stage: Stage;
  #client: StreamClient | undefined;
  #published = 0;
  readonly #unconfirmed = new Map<number, { readonly copies: Copy[]; readonly step: number }>();

  constructor(name: string, stage: Stage) {
    this.name = name;
    this.#stage = stage;
  }

  async connect(world: BrokerAccess): Promise<void> {
    const onConfirm = (tag: number, multiple: boolean): void => this.#confirmed(tag, multiple);
    this.#client = await world.connect({ onConfirm });
    await world.wait(this.#client.call('confirm.select'));
  }

  publish(publication: Publication): void {
    const id = this.#stage.nextId();
    const by = { publisher: this.name, order: id };
    const copies = place(this.#stage, publication, id, by);
    const tag = ++this.#published;
    this.#unconfirmed.set(tag, { copies, step: this.#stage.progress.next() });
    send(this.#client!, publication, id);
  }

  async roundTrip(world: BrokerAccess): Promise<void> {
    await world.wait(this.#client!.roundTrip());
  }

  #confirmed(deliveryTag: number, multiple: boolean): void {
    for (const [tag, { copies, step }] of this.#unconfirmed) {
      if (multiple ? tag > deliveryTag : tag !== deliveryTag) continue;
      this.#unconfirmed.delete(tag);
      for (const copy of copies) copy.isConfirmed = true;
      if (copies.some(({ persistent }) => persistent)) this.#stage.progress.reached(step);
    }
  }
}

/** A delivery that a reader has and has not settled. */
interface Held {
  readonly copy: Copy;
  readonly deliveryTag: number;
}

/** Consumes from one queue, or gets. */
export class Reader {
  readonly queue: ModelQueue;
  readonly #stage: Stage;
  #client: StreamClient | undefined;
  #held: Held[] = [];
  #acknowledging: Copy[] = [];

  constructor(queue: ModelQueue, stage: Stage) {
    this.queue = queue;
    this.#stage = stage;
  }

  /** Whether it has a message, unsettled. */
  holds(copy: Copy): boolean {
    return this.#held.some((held) => held.copy === copy);
  }

  get heldCount(): number {
    return this.#held.length;
  }

  async connect(world: BrokerAccess): Promise<void> {
    this.#client = await world.connect({ onDelivery: (delivery) => this.#take(delivery) });
  }

  async consume(world: BrokerAccess, prefetchCount: number): Promise<void> {
    this.queue.wasRead = true;
    const client = this.#client!;
    await world.wait(client.call('basic.qos', { prefetchCount }));
    await world.wait(client.call('basic.consume', { queue: this.queue.name }));
  }

  async get(world: BrokerAccess): Promise<void> {
    this.queue.wasRead = true;
    const answer = await world.wait(this.#client!.call('basic.get', { queue: this.queue.name }));
    if (answer.method.name === 'basic.get-ok') this.#take(answer);
  }

  /** Settles one delivery, or all up to it. */
  settle(at: number, multiple: boolean, how: 'ack' | 'discard' | 'requeue'): void {
    const last = this.#held[at];
    if (last === undefined) return;
    const settled = multiple ? this.#held.splice(0, at + 1) : this.#held.splice(at, 1);
    const { deliveryTag } = last;
    if (how === 'ack') this.#client!.send('basic.ack', { deliveryTag, multiple });
    else {
      this.#client!.send('basic.nack', { deliveryTag, multiple, requeue: how === 'requeue' });
    }
    if (how === 'requeue') return;
    for (const { copy } of settled) {
      copy.removed = 'maybe';
      this.#acknowledging.push(copy);
    }
  }

  /** Waits until the broker has taken in what was settled. */
  async roundTrip(world: BrokerAccess): Promise<void> {
    const acknowledging = this.#acknowledging;
    this.#acknowledging = [];
    await world.wait(this.#client!.roundTrip());
    this.#stage.progress.takenIn(() => {
      for (const copy of acknowledging) copy.removed = 'yes';
    });
  }

  /** Ends: what it holds goes back. */
  async leave(world: BrokerAccess): Promise<void> {
    await world.wait(this.#client!.call('channel.close', { replyCode: 200, replyText: 'done' }));
    this.#client!.cut();
    this.#held = [];
  }

  /** Does some of what it holds and some publishes in one transaction, and leaves. */
  async transact(
    world: BrokerAccess,
    acknowledge: number,
    publications: readonly Publication[],
    commit: boolean,
  ): Promise<void> {
    const client = this.#client!;
    const transaction = new ModelTransaction();
    await world.wait(client.call('tx.select'));
    const taken = commit ? this.#held.splice(0, acknowledge) : this.#held.slice(0, acknowledge);
    for (const { deliveryTag } of taken) client.send('basic.ack', { deliveryTag });
    const ids = publications.map((publication) => {
      const id = this.#stage.nextId();
      send(client, publication, id);
      return id;
    });
    if (!commit) {
      await world.wait(client.call('tx.rollback'));
      await this.leave(world);
      return;
    }
    publications.forEach((publication, i) => {
      const by = { publisher: `transactions on ${this.queue.name}`, order: ids[i]! };
      place(this.#stage, publication, ids[i]!, by, transaction);
    });
    for (const { copy } of taken) copy.removedIn = transaction;
    transaction.committed = 'maybe';
    const step = this.#stage.progress.next();
    await world.wait(client.call('tx.commit'));
    transaction.committed = 'yes';
    if (taken.length > 0) this.#stage.progress.reached(step);
    await this.leave(world);
  }

  #take({ method, body }: Received): void {
    const id = idOf(body);
    const { problems } = this.#stage;
    const copy = this.queue.copies.get(id);
    if (copy === undefined) {
      problems.push(`${this.queue.name} delivered message ${id}, which is not its own`);
      return;
    }
    if (method.args.redelivered !== true) {
      if (copy.wasNew) problems.push(`message ${id} was delivered as new a second time`);
      copy.wasNew = true;
    }
    copy.isDelivered = true;
    if (this.queue.hasGroups) this.#checkGroup(copy);
    this.#held.push({ copy, deliveryTag: Number(method.args.deliveryTag) });
  }

  /** What its publisher has published before, of the same group, must have been dealt with. */
  #checkGroup(copy: Copy): void {
    if (copy.group === '') return;
    for (const each of this.queue.copies.values()) {
      const isBefore = each.publisher === copy.publisher && each.order < copy.order;
      if (!isBefore || each.group !== copy.group) continue;
      if (each.removed === 'no' && each.removedIn === undefined) {
        this.#stage.problems.push(`message ${copy.id} was delivered before ${each.id} was done`);
      }
    }
  }
}
