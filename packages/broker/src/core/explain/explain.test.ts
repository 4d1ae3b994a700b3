import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DeduplicationWorld } from '../deduplication/deduplication-world.test.support.js';
import { TestMessage } from '../message.test.support.js';
import { type Plain, tableOf } from '../plain-table.test.support.js';
import type { VirtualHost } from '../virtual-host.js';
import {
  bindingRequest,
  CONNECTION,
  exchangeSpec,
  newVirtualHost,
  queueRequest,
} from '../virtual-host.test.support.js';
import { explain } from './explain.js';
import type { Explanation } from './explanation.js';

const TYPES = [
  ...['direct', 'fanout', 'topic', 'headers', 'x-random', 'x-recent-history'],
  ...['x-consistent-hash', 'x-modulus-hash', 'x-message-deduplication'],
];
const QUEUES = ['q0', 'q1', 'q2', 'a'];
const EXCHANGES = ['x0', 'x1', 'x2', 'x3', ''];
const KEYS = ['', 'a', 'a.b', 'a.b.c', '*', '#', 'a.*', '#.c', 'a.#.c', '1', '2'];

const word = fc.constantFrom(...KEYS);
const headers = fc.dictionary(fc.constantFrom('h1', 'h2', 'x-h'), fc.constantFrom('v', 'w', 1));

const topology = fc.record({
  exchanges: fc.array(
    fc.record({
      type: fc.constantFrom(...TYPES),
      alternate: fc.option(fc.constantFrom(...EXCHANGES, 'missing'), { nil: undefined }),
      deduplicates: fc.boolean(),
    }),
    { minLength: 4, maxLength: 4 },
  ),
  bindings: fc.array(
    fc.record({
      from: fc.nat({ max: 3 }),
      to: fc.constantFrom(...QUEUES, 'x0', 'x1', 'x2', 'x3'),
      key: word,
      args: headers,
      any: fc.boolean(),
    }),
    { maxLength: 15, size: 'max' },
  ),
});

const publish = fc.record({
  exchange: fc.constantFrom(...EXCHANGES),
  key: word,
  copies: fc.option(fc.array(word, { maxLength: 2 }), { nil: undefined }),
  headers,
  dedup: fc.option(fc.constantFrom('k1', 'k2'), { nil: undefined }),
});

type Topology = typeof topology extends fc.Arbitrary<infer T> ? T : never;
type Publish = typeof publish extends fc.Arbitrary<infer T> ? T : never;

function build({ exchanges, bindings }: Topology): VirtualHost {
  const vhost = newVirtualHost();
  for (const name of QUEUES) vhost.queues.declare(queueRequest(name), CONNECTION);
  exchanges.forEach(({ type, alternate, deduplicates }, i) => {
    const args = tableOf({
      'x-cache-size': 10,
      ...(alternate === undefined ? {} : { 'alternate-exchange': alternate }),
      ...(deduplicates ? { 'x-message-deduplication': true } : {}),
    });
    vhost.exchanges.declare(exchangeSpec(`x${i}`, type, { arguments: args }));
  });
  for (const { from, to, key, args, any } of bindings) {
    const isHash = exchanges[from]!.type === 'x-consistent-hash';
    const table = tableOf({ ...args, 'x-match': any ? 'any' : 'all' });
    const request = bindingRequest(`x${from}`, to, isHash ? '1' : key, table);
    if (to.startsWith('x')) vhost.bindExchange(request);
    else vhost.bindQueue(request, CONNECTION);
  }
  return vhost;
}

function messageOf({ key, copies, headers: table, dedup, exchange }: Publish): TestMessage {
  const keyed: Record<string, Plain> = { ...table };
  if (dedup !== undefined) keyed['x-deduplication-header'] = dedup;
  const message = new TestMessage('m', tableOf(keyed));
  message.exchange = exchange;
  message.routingKey = key;
  message.extraRoutingKeys = copies;
  return message;
}

describe('an explanation', () => {
  it('names the queues that messages go to, whatever the topology', () => {
    fc.assert(
      fc.property(
        topology,
        fc.array(publish, { minLength: 1, maxLength: 6 }),
        (made, publishes) => {
          const vhost = build(made);
          for (const each of publishes) {
            const message = messageOf(each);
            const exchange = vhost.exchanges.require(each.exchange);
            const explained = explain(vhost, exchange, message);
            assert.deepEqual(explain(vhost, exchange, message), explained, 'it changes nothing');
            const routed = vhost.route(exchange, message);
            checkAgrees(explained, new Set(routed.map(({ name }) => name)));
            const passage = vhost.takePassage();
            if (!isByChance(explained) && routed.length === 0) {
              const isDuplicate = passage?.isHeldBack === true;
              assert.equal(explained.outcome, isDuplicate ? 'duplicate' : 'unroutable');
            }
            passage?.settle(message, routed.length > 0);
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

it('says that an exchange delays a message, and where it goes then', () => {
  const vhost = newVirtualHost();
  vhost.queues.declare(queueRequest('q'), CONNECTION);
  const args = tableOf({ 'x-delayed-type': 'direct' });
  vhost.exchanges.declare(exchangeSpec('later', 'x-delayed-message', { arguments: args }));
  vhost.bindQueue(bindingRequest('later', 'q', 'k'), CONNECTION);
  for (const [delay, isDelayed] of [
    [1_000, true],
    [-1_000, false],
  ] as const) {
    const message = new TestMessage('message', tableOf({ 'x-delay': delay }));
    message.routingKey = 'k';
    const explained = explain(vhost, vhost.exchanges.require('later'), message);
    assert.deepEqual(
      explained.exchanges.map((each) => each.isDelayed),
      [isDelayed],
    );
    assert.deepEqual(
      explained.queues.map(({ name }) => name),
      ['q'],
    );
    assert.equal(vhost.delays.of(vhost.exchanges.require('later')), undefined);
  }
});

/** Without chance both are the same; with it, what is certain is there, and nothing unheard of. */
function checkAgrees(explained: Explanation, routed: ReadonlySet<string>): void {
  const names = new Set(explained.queues.map(({ name }) => name));
  for (const { name, isCertain } of explained.queues) {
    if (isCertain) assert.ok(routed.has(name), `${name} was explained, and not reached`);
  }
  for (const name of routed) assert.ok(names.has(name), `${name} was reached, and not explained`);
  if (!isByChance(explained)) assert.deepEqual(names, routed);
}

function isByChance({ exchanges }: Explanation): boolean {
  return exchanges.some(({ bindings }) => bindings.some(({ matches }) => matches === 'by chance'));
}

const ON = { 'x-message-deduplication': true };

/** What the queue `q` would do with a message, and why. */
function fateOf(
  { vhost }: DeduplicationWorld,
  differing: Partial<{ key: string; expiration: string; headers: Record<string, Plain> }> = {},
): Explanation['queues'][number] {
  const { key, expiration, headers: table = {} } = differing;
  const keyed = key === undefined ? table : { ...table, 'x-deduplication-header': key };
  const message = new TestMessage('message', tableOf(keyed), false, expiration);
  message.routingKey = 'q';
  const { queues } = explain(vhost, vhost.exchanges.require(''), message);
  assert.equal(queues.length, 1);
  return queues[0]!;
}

describe('what an explanation says of a queue', () => {
  it('is whether it takes a message, and what it drops for it', () => {
    const world = new DeduplicationWorld();
    world.queue('dead');
    const where = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'dead' };
    const queue = world.queue('q', { 'x-max-length': 1, ...where });
    assert.equal(fateOf(world).action, 'accept');
    assert.equal(fateOf(world).deadLetter, undefined);
    world.publish('', 'q', {});
    const { action, why, deadLetter } = fateOf(world);
    assert.deepEqual([action, why], ['drop-head', 'it is full: it has 1 messages, the limit is 1']);
    assert.deepEqual(deadLetter, { exchange: '', routingKey: 'dead', queues: ['dead'] });
    world.policy('q', { overflow: 'reject-publish' });
    assert.deepEqual([fateOf(world).action, fateOf(world).deadLetter], ['reject', undefined]);
    assert.equal(fateOf(world).policy, 'p');
    world.policy('q', { overflow: 'reject-publish-dlx' });
    assert.deepEqual(fateOf(world).deadLetter?.queues, ['dead']);
    assert.equal(queue.messageCount, 1, 'nothing has happened');
  });

  it('is whether it keeps a duplicate out', () => {
    const world = new DeduplicationWorld();
    const queue = world.queue('q', ON);
    assert.equal(fateOf(world, { key: 'a' }).action, 'accept');
    world.publish('', 'q', { key: 'a' });
    const { action, why } = fateOf(world, { key: 'a' });
    assert.deepEqual([action, why], ['keep-out', 'a message with the same key is in the queue']);
    assert.equal(queue.deduplication?.duplicates, 0, 'nothing is counted');
  });

  it('is when a message expires there', () => {
    const world = new DeduplicationWorld();
    world.queue('q', { 'x-message-ttl': 1_000 });
    assert.equal(fateOf(world).expiresInMilliseconds, 1_000);
    assert.equal(fateOf(world, { expiration: '50' }).expiresInMilliseconds, 50);
    assert.equal(fateOf(world, { expiration: '5000' }).expiresInMilliseconds, 1_000);
  });
});
