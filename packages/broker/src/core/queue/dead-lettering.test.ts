import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FieldTable } from '@leveret/amqp';
import { TestMessage } from '../message.test.support.js';
import { type Plain, plainOf, tableOf } from '../plain-table.test.support.js';
import type { Queue } from './queue.js';
import { QueueClockwork } from './queue-clockwork.test.support.js';

const to = (key: string): Record<string, Plain> => ({
  'x-dead-letter-exchange': '',
  'x-dead-letter-routing-key': key,
});

function reject(queue: Queue): void {
  queue.reject(queue.get(false)!.position);
}

function headersOf(queue: Queue): Record<string, unknown> {
  return plainOf(queue.get(true)!.message.headers());
}

function deaths(queue: Queue): unknown[] {
  const list = headersOf(queue)['x-death'] as Record<string, unknown>[];
  return list.map(({ queue: where, reason, count }) => [where, reason, Number(count)]);
}

test('everything that is told of a death', () => {
  const world = new QueueClockwork();
  const dead = world.declare('dead');
  const queue = world.declare('q', to('dead'));
  world.clock.advance(5_000);
  world.publish(queue, 'message', { expiration: '60' });
  world.clock.advance(1_000);
  const { message } = dead.get(true)!;
  assert.deepEqual([message.exchange, message.routingKey], ['', 'dead']);
  assert.equal(message.properties().expiration, undefined);
  const table = new Map(message.headers());
  const death = table.get('x-death');
  const expected: FieldTable = new Map([
    ['original-expiration', { type: 'S', value: '60' }],
    ['count', { type: 'l', value: 1n }],
    ['reason', { type: 'S', value: 'expired' }],
    ['queue', { type: 'S', value: 'q' }],
    ['time', { type: 'T', value: 1_700_000_005n }],
    ['exchange', { type: 'S', value: '' }],
    ['routing-keys', { type: 'A', value: [{ type: 'S', value: 'q' }] }],
  ]);
  assert.deepEqual(death, { type: 'A', value: [{ type: 'F', value: expected }] });
  table.delete('x-death');
  assert.deepEqual(plainOf(table), {
    'x-first-death-exchange': '',
    'x-first-death-queue': 'q',
    'x-first-death-reason': 'expired',
    'x-last-death-exchange': '',
    'x-last-death-queue': 'q',
    'x-last-death-reason': 'expired',
  });
});

test('each way to die has its reason', () => {
  const world = new QueueClockwork();
  const dead = world.declare('dead');
  const rejecting = world.declare('rejecting', to('dead'));
  world.publish(rejecting, 'a');
  reject(rejecting);
  assert.deepEqual(deaths(dead), [['rejecting', 'rejected', 1]]);
  const short = world.declare('short', { ...to('dead'), 'x-max-length': 0 });
  world.publish(short, 'a');
  assert.deepEqual(deaths(dead), [['short', 'maxlen', 1]]);
  const full = world.declare('full', {
    ...to('dead'),
    'x-max-length': 0,
    'x-overflow': 'reject-publish-dlx',
  });
  world.publish(full, 'a');
  assert.deepEqual(deaths(dead), [['full', 'maxlen', 1]]);
  const limited = world.declare('limited', { ...to('dead'), 'x-delivery-limit': 0 });
  world.publish(limited, 'a');
  limited.giveBack(limited.get(false)!.position);
  assert.deepEqual(deaths(dead), [['limited', 'delivery_limit', 1]]);
  const overdue = world.declare('overdue', { ...to('dead'), 'x-message-ttl': 10 });
  world.publish(overdue, 'a');
  const taken = overdue.get(false)!;
  world.clock.advance(10);
  assert.equal(dead.messageCount, 0);
  overdue.giveBack(taken.position);
  assert.deepEqual(deaths(dead), [['overdue', 'expired', 1]]);
});

test('a cycle that nobody breaks by rejecting ends', () => {
  const world = new QueueClockwork();
  const a = world.declare('a', { ...to('b'), 'x-message-ttl': 10 });
  const b = world.declare('b', { ...to('a'), 'x-message-ttl': 10 });
  world.publish(a, 'round');
  world.clock.advance(10);
  assert.deepEqual([a.messageCount, b.messageCount], [0, 1]);
  world.clock.advance(10);
  assert.deepEqual([a.messageCount, b.messageCount], [0, 0]);
});

test('one with a rejection in it goes on, and counts', () => {
  const world = new QueueClockwork();
  const work = world.declare('work', to('wait'));
  world.declare('wait', { ...to('work'), 'x-message-ttl': 10 });
  world.publish(work, 'again');
  for (let i = 0; i < 3; i++) {
    reject(work);
    world.clock.advance(10);
  }
  assert.deepEqual(deaths(work), [
    ['wait', 'expired', 3],
    ['work', 'rejected', 3],
  ]);
});

test('a queue may send its rejected messages to itself', () => {
  const world = new QueueClockwork();
  const queue = world.declare('q', to('q'));
  world.publish(queue, 'again');
  reject(queue);
  reject(queue);
  assert.equal(queue.messageCount, 1);
  assert.deepEqual(deaths(queue), [['q', 'rejected', 2]]);
});

test('two full queues that send to each other come to rest', () => {
  const world = new QueueClockwork();
  const count = 5_000;
  const a = world.declare('a', { ...to('b'), 'x-max-length': count });
  const b = world.declare('b', { ...to('a'), 'x-max-length': count });
  for (let i = 0; i < count; i++) {
    world.publish(a, `a${i}`);
    world.publish(b, `b${i}`);
  }
  world.publish(a, 'one too many');
  assert.deepEqual([a.messageCount, b.messageCount], [count, count]);
});

test('a chain of queues is gone through in one turn', () => {
  const world = new QueueClockwork();
  const last = world.declare('q28');
  for (let i = 27; i >= 0; i--) {
    world.declare(`q${i}`, { ...to(`q${i + 1}`), 'x-message-ttl': 0 });
  }
  world.publish(world.vhost.queues.require('q0'), 'message');
  const told = deaths(last);
  assert.equal(told.length, 28);
  assert.deepEqual(told[0], ['q27', 'expired', 1]);
});

test('CC counts among the routing keys, BCC only where the letter goes', () => {
  const world = new QueueClockwork();
  const queue = world.declare('q', { 'x-dead-letter-exchange': 'dlx' });
  const usual = { durable: false, autoDelete: false, internal: true, arguments: new Map() };
  world.vhost.exchanges.declare({ name: 'dlx', type: 'direct', ...usual });
  const exchange = world.vhost.exchanges.require('dlx');
  const boxes = ['q', 'copy', 'blind'].map((key) => {
    const box = world.declare(`box-${key}`);
    world.vhost.exchanges.bind(exchange, box, key, new Map());
    return box;
  });
  const message = new TestMessage('m', tableOf({ CC: ['copy'] }));
  message.routingKey = 'q';
  message.extraRoutingKeys = ['copy', 'blind'];
  queue.publish(message);
  reject(queue);
  assert.deepEqual(
    boxes.map(({ messageCount }) => messageCount),
    [1, 1, 1],
  );
  const headers = headersOf(boxes[0]!);
  const [death] = headers['x-death'] as Record<string, unknown>[];
  assert.deepEqual(death?.['routing-keys'], ['q', 'copy']);
  assert.deepEqual(headers.CC, ['copy']);
});

test('x-death of a client’s: good entries are counted on, others dropped', () => {
  const world = new QueueClockwork();
  const dead = world.declare('dead');
  const queue = world.declare('q', to('dead'));
  world.publish(queue, 'a');
  reject(queue);
  const headers = new Map(dead.get(true)!.message.headers());
  const known = headers.get('x-death');
  assert.equal(known?.type, 'A');
  if (known?.type !== 'A') return;
  const nonsense = tableOf({ x: [{ queue: 'q' }, 'text'] }).get('x');
  const entries = nonsense?.type === 'A' ? nonsense.value : [];
  headers.set('x-death', { type: 'A', value: [...entries, ...known.value] });
  const again = new TestMessage('again', headers);
  again.routingKey = 'q';
  queue.publish(again);
  reject(queue);
  assert.deepEqual(deaths(dead), [['q', 'rejected', 2]]);
});

test('purge and delete let nobody die', () => {
  const world = new QueueClockwork();
  const dead = world.declare('dead');
  const queue = world.declare('q', { ...to('dead'), 'x-message-ttl': 1_000 });
  world.publish(queue, 'a');
  queue.purge();
  world.publish(queue, 'b');
  world.vhost.queues.drop('q');
  world.clock.advance(2_000);
  assert.equal(dead.messageCount, 0);
});

test('without an exchange of that name, or a binding, they are just gone', () => {
  const world = new QueueClockwork();
  const queue = world.declare('q', { 'x-dead-letter-exchange': 'later', 'x-message-ttl': 10 });
  world.publish(queue, 'a');
  world.clock.advance(10);
  assert.equal(queue.messageCount, 0);
  world.fanout('later');
  world.publish(queue, 'b');
  world.clock.advance(10);
  assert.equal(queue.messageCount, 0);
});

test('the dead-letter exchange may come and go with the settings', () => {
  const world = new QueueClockwork();
  const dead = world.declare('dead');
  const queue = world.declare('q');
  for (const label of ['a', 'b']) world.publish(queue, label);
  reject(queue);
  const { settings } = queue;
  queue.applySettings({ ...settings, deadLetterExchange: '', deadLetterRoutingKey: 'dead' });
  reject(queue);
  queue.applySettings(settings);
  assert.deepEqual(world.drain(dead), ['b']);
});

test('at-least-once: a message stays until the next queue has taken it', () => {
  const world = new QueueClockwork();
  const dead = world.declare('dead', { 'x-max-length': 1, 'x-overflow': 'reject-publish' });
  const queue = world.declare('q', {
    ...to('dead'),
    'x-dead-letter-strategy': 'at-least-once',
    'x-overflow': 'reject-publish',
    'x-message-ttl': 100,
  });
  for (const label of ['a', 'b', 'c']) world.publish(queue, label);
  reject(queue);
  assert.equal(dead.messageCount, 1);
  world.clock.advance(100);
  // What has expired is delivered to nobody, though it is there.
  assert.equal(queue.get(false), undefined);
  assert.deepEqual(world.drain(dead), ['a']);
  world.clock.advance(1_000);
  assert.deepEqual(world.drain(dead), ['b']);
  world.clock.advance(1_000);
  assert.deepEqual(world.drain(dead), ['c']);
  assert.equal(queue.messageCount, 0);
  world.clock.advance(1_000);
  assert.equal(world.clock.timers, 0);
});

test('at-least-once: to all its queues or to none', () => {
  const world = new QueueClockwork();
  const open = world.declare('open');
  const full = world.declare('full', { 'x-max-length': 0, 'x-overflow': 'reject-publish' });
  world.fanout('dlx', open, full);
  const queue = world.declare('q', {
    'x-dead-letter-exchange': 'dlx',
    'x-dead-letter-strategy': 'at-least-once',
    'x-overflow': 'reject-publish',
  });
  world.publish(queue, 'a');
  reject(queue);
  world.clock.advance(5_000);
  assert.equal(open.messageCount, 0);
  full.applySettings({ ...full.settings, maxLength: 1 });
  world.clock.advance(1_000);
  assert.deepEqual([open.messageCount, full.messageCount], [1, 1]);
});

test('at-least-once without reject-publish is at-most-once', () => {
  const world = new QueueClockwork();
  const queue = world.declare('q', { ...to('nowhere'), 'x-dead-letter-strategy': 'at-least-once' });
  world.publish(queue, 'a');
  reject(queue);
  world.clock.advance(5_000);
  assert.equal(world.clock.timers, 0);
});
