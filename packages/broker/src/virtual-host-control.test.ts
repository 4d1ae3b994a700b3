import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Broker, type BrokerOptions } from './broker.js';
import { Refusal } from './core/refusal.js';
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
});
