import assert from 'node:assert/strict';
import { bodyOf, idOf } from './bodies.js';
import type { BrokerAccess } from './broker-access.js';
import { type CheckOptions, checkContent, type Found, type ModelQueue } from './model.js';
import { ClosedError, type StreamClient } from './stream-client.js';
import { byText, EXCHANGES, KEYS, QUEUES, type TopologyModel } from './topology-model.js';

/** Ids of the messages that only find out where they get to. */
const PROBE_IDS_FROM = 1_000_000_000;

/**
 * Looks at every message in every queue, checks them, and puts them back. From then on the model
 * knows exactly what is there.
 */
export async function lookIntoQueues(
  world: BrokerAccess,
  topology: TopologyModel,
  options: CheckOptions,
): Promise<void> {
  await settlePending(world, topology);
  for (const [name] of QUEUES) {
    const queue = topology.queues.get(name);
    assert.equal(await exists(world, 'queue', name), queue !== undefined, `queue ${name}`);
    if (queue === undefined) continue;
    const client = await world.connect();
    if (queue.hasGroups) {
      checkContent(queue, await takeByGroups(world, client, queue), options);
      // What was acknowledged before is on the disk when the latter is answered.
      await world.wait(client.call('queue.declare', { queue: 'barrier', durable: true }));
      await world.wait(client.call('queue.delete', { queue: 'barrier' }));
      client.cut();
      noteFound(queue, []);
      continue;
    }
    const found = await getAll(world, client, name);
    checkContent(queue, found, options);
    await world.wait(client.call('basic.recover', { requeue: true }));
    client.cut();
    noteFound(queue, found);
  }
  for (const [name] of EXCHANGES) {
    const isThere = await exists(world, 'exchange', name);
    assert.equal(isThere, topology.exchanges.has(name), `exchange ${name}`);
  }
}

/** Takes everything out of every queue. */
export async function emptyQueues(world: BrokerAccess, topology: TopologyModel): Promise<void> {
  const client = await world.connect();
  for (const queue of topology.queues.values()) {
    await world.wait(client.call('queue.purge', { queue: queue.name }));
    queue.copies.clear();
  }
}

/** Checks that every key gets to exactly the queues it should; the queues must be empty. */
export async function checkTopology(world: BrokerAccess, topology: TopologyModel): Promise<void> {
  const client = await world.connect();
  const lines = [...topology.queues.keys()].sort(byText).map((name) => `queue ${name}`);
  let probe = PROBE_IDS_FROM;
  for (const [exchange] of EXCHANGES) {
    if (!topology.exchanges.has(exchange)) continue;
    lines.push(`exchange ${exchange}`);
    for (const routingKey of KEYS) {
      client.publish({ exchange, routingKey }, bodyOf(++probe, 0), {});
      await world.wait(client.roundTrip());
      const reached: string[] = [];
      for (const name of topology.queues.keys()) {
        const found = await getAll(world, client, name, true);
        for (const { id } of found) if (id === probe) reached.push(name);
      }
      lines.push(`${exchange} ${routingKey} -> ${reached.sort(byText).join(' ')}`);
    }
  }
  const { pending } = topology;
  topology.pending = undefined;
  if (lines.join('\n') !== topology.describe()) pending?.apply();
  assert.equal(lines.join('\n'), topology.describe());
  for (const queue of topology.queues.values()) queue.wasRead = true;
}

/** Finds out whether a declaration or deletion that was not answered has happened. */
async function settlePending(world: BrokerAccess, topology: TopologyModel): Promise<void> {
  const { pending } = topology;
  const [, kind, verb] = /^(queue|exchange)\.(declare|delete)$/.exec(pending?.what ?? '') ?? [];
  // Bindings show when messages are routed.
  if (pending === undefined || kind === undefined) return;
  topology.pending = undefined;
  const isThere = await exists(world, kind as 'queue' | 'exchange', pending.name);
  if (isThere === (verb === 'declare')) pending.apply();
}

/** Whether there is a queue or exchange of that name. */
export async function exists(
  world: BrokerAccess,
  kind: 'queue' | 'exchange',
  name: string,
): Promise<boolean> {
  const client = await world.connect();
  try {
    await world.wait(client.call(`${kind}.declare`, { [kind]: name, passive: true }));
    return true;
  } catch (error) {
    if (!(error instanceof ClosedError) || !/NOT_FOUND/.test(error.message)) throw error;
    return false;
  } finally {
    client.cut();
  }
}

async function getAll(
  world: BrokerAccess,
  client: StreamClient,
  queue: string,
  noAck = false,
): Promise<Found[]> {
  const found: Found[] = [];
  for (;;) {
    const { method, body } = await world.wait(client.call('basic.get', { queue, noAck }));
    if (method.name === 'basic.get-empty') return found;
    found.push({ id: idOf(body), redelivered: method.args.redelivered === true });
  }
}

/**
 * Takes all messages out of a queue that has groups, as many at a time as there are to be had: one
 * of each group.
 */
async function takeByGroups(
  world: BrokerAccess,
  client: StreamClient,
  queue: ModelQueue,
): Promise<Found[]> {
  const all: Found[] = [];
  for (;;) {
    const found = await getAll(world, client, queue.name);
    if (found.length === 0) return all;
    const groups = found.map(({ id }) => queue.copies.get(id)?.group ?? '');
    const named = groups.filter((group) => group !== '');
    const text = `queue ${queue.name}: two messages of a group at a time: ${groups.join(' ')}`;
    assert.equal(new Set(named).size, named.length, text);
    client.send('basic.ack', { deliveryTag: 0, multiple: true });
    all.push(...found);
  }
}

function noteFound(queue: ModelQueue, found: readonly Found[]): void {
  const copies = found.map(({ id }) => queue.copies.get(id)!);
  queue.copies.clear();
  queue.wasRead = true;
  copies.forEach((copy, order) => {
    const known = { isConfirmed: true, isDelivered: true, wasNew: true, removed: 'no' } as const;
    const fresh = { publishedIn: undefined, removedIn: undefined };
    queue.copies.set(copy.id, { ...copy, ...known, ...fresh, publisher: 'survivors', order });
  });
}
