import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startBroker } from '@leveret/broker';
import { runningBroker } from '../brokers/broker.js';
import { Peers } from '../load/peers.js';
import { targetOf } from '../load/raw-peer.js';
import { type Faults, NO_FAULTS } from '../load/sequence-check.js';
import { type Flow, flowRow } from './flow.js';
import { type Meddle, meddlingProxy } from './meddling-proxy.test.support.js';
import { fanout, LANES, ROUND, topic } from './topologies.js';

const FLOW: Flow = {
  name: 'flow',
  bodyBytes: 16,
  persistent: false,
  ackEvery: 0,
  prefetch: 0,
  confirmWindow: 0,
  queues: 1,
  topology: LANES,
};

/** Lets everything through. */
const HONEST: Meddle = (delivery) => [delivery];

/** The delivery that is meddled with: one of the first, so that it is long past in the end. */
const CHOSEN = 100;

/** What a row finds wrong with a broker of which we know what is wrong. */
async function faultsOf(t: TestContext, flow: Flow, meddle: Meddle): Promise<Faults | undefined> {
  const broker = await startBroker({ port: 0 });
  t.after(() => broker.close());
  const proxy = await meddlingProxy(broker.url, meddle);
  t.after(() => proxy.close());
  const source = runningBroker('meddled with', proxy.url);
  const peers = new Peers(targetOf(proxy.url));
  t.after(() => peers.closeAll());
  const setting = { source, broker: await source.start(), peers };
  const times = { seconds: 0.1, patienceSeconds: 0.5, id: 'test' };
  const measured = await Promise.race([
    flowRow(flow).measure({ ...setting, ...times }),
    peers.failure,
  ]);
  assert.ok((measured?.values[0] ?? 0) > 0, 'messages have been counted');
  return measured?.faults;
}

test('finds nothing wrong with a broker that does what it should', async (t) => {
  assert.deepEqual(await faultsOf(t, FLOW, HONEST), NO_FAULTS);
});

test('finds nothing wrong whatever the topology, with acks and with confirms', async (t) => {
  const flows: readonly Flow[] = [
    { ...FLOW, queues: 3, ackEvery: 1, prefetch: 100 },
    { ...FLOW, confirmWindow: 100, ackEvery: 50, prefetch: 1_000 },
    { ...FLOW, queues: 3, topology: fanout(3) },
    { ...FLOW, queues: 3, topology: topic(9, 18) },
    { ...FLOW, queues: 12, topology: ROUND, sharesConsumer: true },
  ];
  for (const flow of flows) assert.deepEqual(await faultsOf(t, flow, HONEST), NO_FAULTS);
});

test('finds the one message that was lost', async (t) => {
  const lose: Meddle = (delivery, count) => (count === CHOSEN ? [] : [delivery]);
  assert.deepEqual(await faultsOf(t, FLOW, lose), { ...NO_FAULTS, lost: 1 });
});

test('finds the one message that came twice', async (t) => {
  const repeat: Meddle = (delivery, count) => {
    return count === CHOSEN ? [delivery, delivery] : [delivery];
  };
  assert.deepEqual(await faultsOf(t, FLOW, repeat), { ...NO_FAULTS, duplicated: 1 });
});

test('finds the one message that another one overtook', async (t) => {
  let held: Buffer | undefined;
  const swap: Meddle = (delivery, count) => {
    if (count === CHOSEN) {
      held = delivery;
      return [];
    }
    return count === CHOSEN + 1 ? [delivery, held!] : [delivery];
  };
  assert.deepEqual(await faultsOf(t, FLOW, swap), { ...NO_FAULTS, disordered: 1 });
});

test('finds the one message that went to another queue', async (t) => {
  const flow: Flow = { ...FLOW, queues: 3, topology: ROUND, sharesConsumer: true };
  // The consumer tag, one digit, says which queue a delivery is from.
  const misroute: Meddle = (delivery, count) => {
    if (count === CHOSEN)
      delivery.write(delivery.toString('latin1', 12, 13) === '0' ? '1' : '0', 12);
    return [delivery];
  };
  assert.deepEqual(await faultsOf(t, flow, misroute), { ...NO_FAULTS, misrouted: 1, lost: 1 });
});
