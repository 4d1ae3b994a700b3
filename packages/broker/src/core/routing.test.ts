import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FieldTable } from '@leveret/amqp';
import fc from 'fast-check';
import type { Exchange } from './exchange/exchange.js';
import type { Binding } from './exchange/router.js';
import { topicMatches } from './exchange/topic-match.test.support.js';
import { messageFor, TestMessage } from './message.test.support.js';
import { Refusal } from './refusal.js';
import type { VirtualHost } from './virtual-host.js';
import {
  bindingRequest,
  CONNECTION,
  exchangeSpec,
  newVirtualHost,
  queueRequest,
} from './virtual-host.test.support.js';

const NONE: FieldTable = new Map();
const WITH_H: FieldTable = new Map([['h', { type: 'I', value: 1 }]]);

function routed(vhost: VirtualHost, exchange: string, message: TestMessage): Set<string> {
  const queues = vhost.route(vhost.exchanges.require(exchange), message);
  const names = queues.map((queue) => queue.name);
  assert.equal(new Set(names).size, names.length, 'each queue once');
  return new Set(names);
}

/** The walk as the words have it: exchange by exchange, binding by binding. */
function expectedRoute(vhost: VirtualHost, exchange: string, message: TestMessage): Set<string> {
  const queues = new Set<string>();
  const seen = new Set<string>();
  const walk = (name: string): void => {
    const from = vhost.exchanges.get(name);
    if (from === undefined || seen.has(name)) return;
    seen.add(name);
    const keys = [message.routingKey, ...(message.extraRoutingKeys ?? [])];
    const bindings = [...from.bindings()].filter((each) =>
      keys.some((key) => matches(from, each, key, message)),
    );
    for (const { destination } of bindings) {
      if (destination.kind === 'queue') queues.add(destination.name);
      else walk(destination.name);
    }
    if (name === '') for (const key of keys) if (vhost.queues.get(key)) queues.add(key);
    if (bindings.length === 0 && from.alternate !== undefined) walk(from.alternate);
  };
  walk(exchange);
  return queues;
}

function matches(from: Exchange, binding: Binding, key: string, message: TestMessage): boolean {
  switch (from.spec.type) {
    case 'fanout':
      return true;
    case 'topic':
      return topicMatches(binding.routingKey.split('.'), key.split('.'));
    case 'headers':
      return binding.arguments.size === 0 || message.table.has('h');
    default:
      return binding.routingKey === key;
  }
}

type Change = (vhost: VirtualHost) => void;

const queueName = fc.constantFrom('q0', 'q1', 'q2');
const exchangeName = fc.constantFrom('e0', 'e1', 'e2', 'e3');
const bindingKey = fc.constantFrom('a', 'b', 'a.b', '#', '*.b', 'a.#');
const args = fc.constantFrom(NONE, WITH_H);
const binding = { source: exchangeName, routingKey: bindingKey, arguments: args };
const toQueue = fc.record({ ...binding, destination: queueName });
const toExchange = fc.record({ ...binding, destination: exchangeName });

const change: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(
        exchangeName,
        fc.constantFrom('direct', 'fanout', 'topic', 'headers'),
        fc.boolean(),
        fc.option(exchangeName, { nil: undefined }),
      )
      .map(([name, type, autoDelete, alternate]): Change => {
        const table: FieldTable =
          alternate === undefined
            ? NONE
            : new Map([['alternate-exchange', { type: 'S', value: alternate }]]);
        return (vhost) =>
          vhost.exchanges.declare(exchangeSpec(name, type, { autoDelete, arguments: table }));
      }),
  },
  {
    weight: 3,
    arbitrary: queueName.map(
      (name): Change =>
        (vhost) => {
          vhost.queues.declare(queueRequest(name), CONNECTION);
        },
    ),
  },
  {
    weight: 6,
    arbitrary: toQueue.map(
      (request): Change =>
        (vhost) =>
          vhost.bindQueue(request, CONNECTION),
    ),
  },
  {
    weight: 4,
    arbitrary: toExchange.map(
      (request): Change =>
        (vhost) =>
          vhost.bindExchange(request),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.nat().map(
      (at): Change =>
        (vhost) =>
          unbindOne(vhost, at),
    ),
  },
  exchangeName.map(
    (name): Change =>
      (vhost) =>
        vhost.exchanges.delete(name, false),
  ),
  queueName.map(
    (name): Change =>
      (vhost) => {
        vhost.queues.delete(name, CONNECTION, { ifUnused: false, ifEmpty: false });
      },
  ),
);

const messages: TestMessage[] = [];
for (const key of ['a', 'b', 'a.b', 'q0']) {
  for (const table of [NONE, WITH_H]) {
    for (const extra of [undefined, ['b', 'q1', 'b']]) {
      const message = new TestMessage(key, table);
      message.routingKey = key;
      message.extraRoutingKeys = extra;
      messages.push(message);
    }
  }
}

/** Removes one of the bindings there are. */
function unbindOne(vhost: VirtualHost, at: number): void {
  const bindings = [...vhost.exchanges.all()].flatMap((each) => [...each.bindings()]);
  if (bindings.length === 0) return;
  const { source, destination, routingKey, arguments: args } = bindings[at % bindings.length]!;
  const request = bindingRequest(source.name, destination.name, routingKey, args);
  if (destination.kind === 'queue') vhost.unbindQueue(request, CONNECTION);
  else vhost.unbindExchange(request);
  assert.ok(![...source.bindings()].includes(bindings[at % bindings.length]!));
  if (source.spec.autoDelete && !source.hasBindings) {
    assert.equal(vhost.exchanges.get(source.name), undefined);
  }
}

/** Makes a change, unless what it is about is not there or is otherwise. */
function attempt(vhost: VirtualHost, action: Change): void {
  try {
    action(vhost);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
}

function assertConsistent(vhost: VirtualHost): void {
  const exchanges = [...vhost.exchanges.all()];
  for (const exchange of exchanges) {
    for (const { destination, source } of exchange.bindings()) {
      assert.equal(source, exchange);
      const registry = destination.kind === 'queue' ? vhost.queues : vhost.exchanges;
      assert.equal(registry.get(destination.name), destination, 'a binding leads nowhere');
      assert.ok(destination.sources.has(exchange));
    }
  }
  for (const destination of [...exchanges, ...vhost.queues.all()]) {
    for (const source of destination.sources) {
      const leads = [...source.bindings()].some((each) => each.destination === destination);
      assert.ok(leads && vhost.exchanges.get(source.name) === source);
    }
  }
}

test('after any change of the topology messages go where the bindings lead', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 40, size: 'max' }), (changes) => {
      const vhost = newVirtualHost();
      for (const each of changes) {
        attempt(vhost, each);
        for (const { name } of vhost.exchanges.all()) {
          // One published twice: the second time the way may be remembered.
          for (const message of [...messages, messages[0]!]) {
            assert.deepEqual(routed(vhost, name, message), expectedRoute(vhost, name, message));
          }
        }
      }
      assertConsistent(vhost);
    }),
    { numRuns: 100 },
  );
});

test('messages go round a cycle once', () => {
  const vhost = newVirtualHost();
  for (const name of ['e0', 'e1']) vhost.exchanges.declare(exchangeSpec(name, 'fanout'));
  vhost.queues.declare(queueRequest('q'), CONNECTION);
  vhost.bindExchange(bindingRequest('e0', 'e1'));
  vhost.bindExchange(bindingRequest('e1', 'e0'));
  vhost.bindExchange(bindingRequest('e0', 'e0'));
  vhost.bindQueue(bindingRequest('e0', 'q'), CONNECTION);
  vhost.bindQueue(bindingRequest('e1', 'q'), CONNECTION);
  assert.deepEqual(routed(vhost, 'e1', messageFor('k')), new Set(['q']));
});

test('routes stay right for more keys than are remembered', () => {
  const vhost = newVirtualHost();
  vhost.queues.declare(queueRequest('even'), CONNECTION);
  vhost.bindQueue(bindingRequest('amq.topic', 'even', '#.0'), CONNECTION);
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 10_000; i++) {
      const found = routed(vhost, 'amq.topic', messageFor(`${i}.${i % 2}`));
      assert.equal(found.has('even'), i % 2 === 0);
    }
  }
});

test('a message with further keys neither uses nor spoils what is remembered', () => {
  const vhost = newVirtualHost();
  for (const name of ['q0', 'q1']) vhost.queues.declare(queueRequest(name), CONNECTION);
  const withCc = messageFor('q0');
  withCc.extraRoutingKeys = ['q1'];
  assert.deepEqual(routed(vhost, '', withCc), new Set(['q0', 'q1']));
  assert.deepEqual(routed(vhost, '', messageFor('q0')), new Set(['q0']));
  assert.deepEqual(routed(vhost, '', withCc), new Set(['q0', 'q1']));
});
