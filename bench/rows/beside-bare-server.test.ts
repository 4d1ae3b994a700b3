import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startBroker } from '@leveret/broker';
import { runningBroker } from '../brokers/broker.js';
import { Peers } from '../load/peers.js';
import { targetOf } from '../load/raw-peer.js';
import { NO_FAULTS } from '../load/sequence-check.js';
import { besideBareServer } from './beside-bare-server.js';
import { CONNECTIONS } from './churn.js';
import type { Measurement, Row } from './row.js';
import { rpcRow } from './rpc.js';

/** Measures a row with a broker of ours, or one of which no more is known than its address. */
async function measure(t: TestContext, row: Row, isOurs: boolean): Promise<Measurement> {
  const running = await startBroker({ port: 0 });
  t.after(() => running.close());
  const source = runningBroker('ours', running.url);
  const peers = new Peers(targetOf(running.url));
  t.after(() => peers.closeAll());
  const broker = { ...(await source.start()), directory: isOurs ? '/' : undefined };
  const times = { seconds: 0.1, patienceSeconds: 0.5, id: 'test' };
  const measured = await Promise.race([
    row.measure({ source, broker, peers, ...times }),
    peers.failure,
  ]);
  assert.ok(measured !== undefined);
  return measured;
}

test('a bare server opens and closes connections as a broker does', async (t) => {
  const { values } = await measure(t, CONNECTIONS, true);
  assert.equal(values.length, CONNECTIONS.figures.length);
  assert.ok(values.every((value) => value > 0));
});

test('a bare server brings each answer to who has asked', async (t) => {
  let bare: Measurement | undefined;
  const calls = rpcRow(3);
  const row: Row = { ...calls, measure: async (setting) => (bare = await calls.measure(setting)) };
  const { values, faults } = await measure(t, besideBareServer(row), true);
  assert.ok(values[1]! > 0);
  assert.deepEqual([faults, bare?.faults], [NO_FAULTS, NO_FAULTS]);
});

test('other brokers are not held against a bare server', async (t) => {
  assert.equal((await measure(t, CONNECTIONS, false)).values.length, 1);
});
