import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { ManualClock } from './base/manual-clock.test.support.js';
import { Broker, surroundingsOf } from './broker.js';
import { action, Client, QUEUES, RULES } from './client-actions.test.support.js';
import { InMemory } from './core/persistence.js';
import { VirtualHost } from './core/virtual-host.js';
import { openJournal } from './open-journal.js';
import { Realm } from './realm.js';
import { nodeFiles } from './store/disk/node-files.js';
import { MemoryBudget } from './store/memory-budget.js';
import type { SlabAllocator } from './store/slab.js';

/** A broker of whose virtual host and memory everything can be seen. */
interface World {
  readonly broker: Broker;
  readonly clock: ManualClock;
  readonly vhost: VirtualHost;
  readonly slabs: SlabAllocator;
}

function newWorld(): World {
  const clock = new ManualClock();
  const surroundings = surroundingsOf({ clock });
  const { slabs } = surroundings;
  const ports = { ...surroundings, persistence: new InMemory() };
  const makeVhost = (name: string): VirtualHost => new VirtualHost(name, ports);
  const realm = new Realm({ ...surroundings, makeVhost, record: () => {} }, {});
  realm.seed({});
  const broker = new Broker({ clock }, { surroundings, realm, opened: undefined });
  return { broker, clock, vhost: realm.vhosts.get('/')!, slabs };
}

async function openWorld(directory: string): Promise<World> {
  const clock = new ManualClock();
  const surroundings = surroundingsOf({ clock });
  const { slabs } = surroundings;
  const budget = new MemoryBudget(slabs, 1_048_576);
  const ports = { ...surroundings, budget, files: nodeFiles, isShared: false };
  const options = { directory, fileBytes: 1_048_576, sync: 'never' as const };
  const opened = await openJournal({}, ports, options);
  const { realm } = opened;
  const broker = new Broker({ clock }, { surroundings, realm, opened });
  return { broker, clock, vhost: realm.vhosts.get('/')!, slabs };
}

function declareQueues({ vhost }: World, durable: boolean, withRules: boolean): void {
  for (const name of QUEUES) {
    const flags = { durable, exclusive: false, autoDelete: false };
    const args = (withRules && RULES[name]) || new Map();
    const declared = vhost.queues.declare({ name, ...flags, arguments: args }, {});
    vhost.exchanges.bind(vhost.exchanges.require('amq.fanout'), declared, '', new Map());
  }
}

const step = fc.record({ client: fc.nat(1), channel: fc.integer({ min: 1, max: 2 }), action });
const steps = fc.array(step, { maxLength: 40, size: 'max' });

type Steps = typeof steps extends fc.Arbitrary<infer T> ? T : never;

/** Two clients do what they like, and go. */
async function act({ broker, clock }: World, actions: Steps, politely: boolean): Promise<void> {
  const clients = [new Client(broker), new Client(broker)];
  for (const client of clients) await client.open();
  for (const each of actions) {
    await clients[each.client]!.do(each.channel, each.action(each.channel));
    clock.advance(20);
  }
  for (const client of clients) await client.end(politely);
}

test('with all closed and purged no memory is held and no timer set, whatever was done before', async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.boolean(), fc.boolean(), async (actions, politely, withRules) => {
      const world = newWorld();
      const { broker, clock, vhost, slabs } = world;
      declareQueues(world, false, withRules);
      await act(world, actions, politely);
      await broker.close();
      // Whatever was delivered has come back, so all there is is ready.
      for (const each of vhost.queues.all()) each.purge();
      assert.equal(slabs.liveBytes, 0);
      assert.equal(slabs.heldBytes, 0);
      // What was to expire is passed over when its time comes; what is left is for nothing at all.
      clock.advance(400);
      assert.equal(clock.timers, 0);
    }),
    { numRuns: 100 },
  );
});

/** How many messages of each queue have to survive. */
function persistentIn({ vhost }: World): Map<string, number> {
  const counts = new Map<string, number>();
  for (const queue of vhost.queues.all()) {
    let count = 0;
    queue.forEachMessage((message) => {
      if (message.persistent) count++;
    });
    counts.set(queue.name, count);
  }
  return counts;
}

function readyIn({ vhost }: World): Map<string, number> {
  return new Map([...vhost.queues.all()].map((queue) => [queue.name, queue.messageCount]));
}

/** Takes every message out of every queue, closes, and makes sure that none is held. */
async function emptyAndClose({ broker, vhost, slabs }: World): Promise<void> {
  for (const queue of vhost.queues.all()) queue.purge();
  await broker.close();
  assert.equal(slabs.liveBytes, 0);
  assert.equal(slabs.heldBytes, 0);
}

test('a broker with a disk lets go too, and finds again what there was', async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.boolean(), async (actions, politely) => {
      const directory = await mkdtemp(join(tmpdir(), 'leveret-'));
      try {
        const first = await openWorld(directory);
        declareQueues(first, true, false);
        await act(first, actions, politely);
        const kept = persistentIn(first);
        await first.broker.close();

        const second = await openWorld(directory);
        assert.deepEqual(readyIn(second), kept);
        await act(second, actions, politely);
        await emptyAndClose(second);

        const third = await openWorld(directory);
        for (const [name, count] of readyIn(third)) assert.equal(count, 0, name);
        await emptyAndClose(third);
      } finally {
        await rm(directory, { recursive: true });
      }
    }),
    { numRuns: 25 },
  );
});
