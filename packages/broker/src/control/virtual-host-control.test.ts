import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Broker } from '../broker.js';
import type { BrokerOptions } from '../broker-options.js';
import { Refusal } from '../core/refusal.js';
import type { VirtualHostControl } from './virtual-host-control.js';

/** A virtual host of a broker of the test's own, closed after it. */
function control(t: { after(action: () => Promise<void>): void }): VirtualHostControl {
  const options: BrokerOptions = { vhosts: ['/', 'grün'] };
  const broker = new Broker(options);
  t.after(() => broker.close());
  assert.throws(() => broker.vhost('other'), new RangeError("no virtual host 'other'"));
  return broker.vhost('grün');
}

describe('the control of a virtual host', () => {
  test('sets, gets, lists and deletes policies in text', (t) => {
    const { name, policies, operatorPolicies } = control(t);
    assert.equal(name, 'grün');
    const definition = { 'dead-letter-exchange': 'größer', 'max-length': 3 };
    policies.set({ name: 'für', pattern: '^ä', definition });
    const policy = { name: 'für', pattern: '^ä', applyTo: 'all', priority: 0, definition };
    assert.deepEqual(policies.get('für'), policy);
    assert.deepEqual(policies.list(), [policy]);
    assert.deepEqual(operatorPolicies.list(), []);
    assert.equal(policies.delete('fur'), false);
    assert.equal(policies.delete('für'), true);
    assert.equal(policies.get('für'), undefined);
  });

  test('refuses in text, too', (t) => {
    const { operatorPolicies } = control(t);
    const request = { name: 'p', pattern: '', definition: { 'max-length': 1 } };
    // A mistake that types would have told of.
    const applyTo = 'größe' as 'all';
    assert.throws(
      () => operatorPolicies.set({ ...request, applyTo }),
      (error) => error instanceof Refusal && error.message.startsWith("apply-to 'größe' unrec"),
    );
  });

  test('turns the firehose on and off', (t) => {
    const vhost = control(t);
    assert.equal(vhost.tracing, false);
    vhost.tracing = true;
    assert.equal(vhost.tracing, true);
    vhost.tracing = false;
    assert.equal(vhost.tracing, false);
  });

  test('finds policies again that were set before the broker stopped', async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'leveret-policies-'));
    t.after(() => rm(directory, { recursive: true }));
    const open = (): Promise<Broker> => Broker.open({ storage: { directory } });
    const definition = { 'max-length': 3, 'dead-letter-exchange': 'größer' };
    const before = await open();
    before.vhost('/').policies.set({ name: 'für', pattern: '^ä', definition });
    before.vhost('/').policies.set({ name: 'gone', pattern: '', definition });
    before.vhost('/').operatorPolicies.set({ name: 'o', pattern: '', definition: { expires: 9 } });
    before.vhost('/').policies.delete('gone');
    const policies = before.vhost('/').policies.list();
    const operatorPolicies = before.vhost('/').operatorPolicies.list();
    before.vhost('/').tracing = true;
    await before.close();
    for (let restarts = 0; restarts < 2; restarts++) {
      const after = await open();
      assert.deepEqual(after.vhost('/').policies.list(), policies);
      assert.deepEqual(after.vhost('/').operatorPolicies.list(), operatorPolicies);
      assert.equal(after.vhost('/').tracing, false);
      await after.close();
    }
  });
});
