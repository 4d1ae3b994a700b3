import assert from 'node:assert/strict';
import { duplexPair } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { toFieldTable, toWire } from '@leveret/amqp';
import { Broker } from '../broker.js';
import { explanationText } from '../core/explain/explanation-text.js';
import { publishFrames, RawPeer } from '../protocols/amqp091/raw-peer.test.support.js';

interface World {
  readonly broker: Broker;
  readonly peer: RawPeer;
  publish(exchange: string, routingKey: string): Promise<void>;
}

/** A broker with a queue behind a topic exchange, whose alternate exchange is another. */
async function orders(t: TestContext): Promise<World> {
  const broker = new Broker();
  const [theirs, ours] = duplexPair();
  broker.accept(theirs);
  const peer = new RawPeer(ours);
  t.after(() => {
    ours.destroy();
    return broker.close();
  });
  await peer.handshake();
  peer.send(1, 'channel.open', { outOfBand: '' });
  const flags = { passive: false, durable: false, autoDelete: false, nowait: true };
  const exchange = { exchange: 'orders', type: 'topic', ...flags, internal: false };
  peer.send(1, 'exchange.declare', {
    ...exchange,
    arguments: toFieldTable({ 'alternate-exchange': 'amq.headers' }),
  });
  const limit = toFieldTable({ 'x-max-length': 1 });
  const queue = { ...flags, queue: toWire('größe'), exclusive: false, arguments: limit };
  peer.send(1, 'queue.declare', queue);
  const binding = { queue: toWire('größe'), nowait: true };
  const key = { exchange: 'orders', routingKey: 'order.*.eu', arguments: new Map() };
  peer.send(1, 'queue.bind', { ...binding, ...key });
  const wanted = toFieldTable({ format: 'pdf', language: 'en' });
  peer.send(1, 'queue.bind', {
    ...binding,
    ...{ exchange: 'amq.headers', routingKey: '', arguments: wanted },
  });
  await settle();
  const publish = async (to: string, routingKey: string): Promise<void> => {
    const body = Buffer.from('body');
    const address = { exchange: to, routingKey: toWire(routingKey) };
    peer.duplex.write(publishFrames({ channel: 1, ...address, body }));
    await settle();
  };
  return { broker, peer, publish };
}

async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await setImmediate();
}

test('what a message meets on its way, in lines', async (t) => {
  const { broker, publish } = await orders(t);
  await publish('orders', 'order.paid.eu');
  const lines = (routingKey: string, headers = {}): string[] =>
    explanationText(broker.explain({ exchange: 'orders', routingKey, headers })).split('\n');
  assert.deepEqual(lines('order.new.eu'), [
    "a message to exchange 'orders' with routing key 'order.new.eu': routed",
    "  exchange 'orders' (topic)",
    "    + queue 'größe' by 'order.*.eu': 'order.*.eu' matches",
    "  queue 'größe': drop-head, it is full: it has 1 messages, the limit is 1",
  ]);
  assert.deepEqual(lines('order.new.ue', { format: 'pdf' }), [
    "a message to exchange 'orders' with routing key 'order.new.ue': unroutable",
    "  exchange 'orders' (topic)",
    "    - queue 'größe' by 'order.*.eu': 'order.*.eu' does not match",
    '        word 3: wanted eu, found ue',
    "    goes to its alternate exchange 'amq.headers'",
    "  exchange 'amq.headers' (headers, alternate of exchange 'orders')",
    "    - queue 'größe' by '': 1 of 2 headers are as wanted, x-match is all",
    "        header 'language': wanted en, there is none",
  ]);
  assert.deepEqual(broker.unroutable(), [], 'nothing was published');
});

test('keys in CC and BCC count, and what a publisher would be refused is said', async (t) => {
  const { broker } = await orders(t);
  const headers = { CC: ['a'], BCC: ['order.new.eu'] };
  const copied = broker.explain({ exchange: 'orders', routingKey: 'b', headers });
  assert.deepEqual(copied.routingKeys, ['b', 'a', 'order.new.eu']);
  assert.deepEqual(
    copied.queues.map(({ name }) => name),
    ['größe'],
  );
  const refusal = (request: Parameters<Broker['explain']>[0]): string | undefined => {
    const { outcome, refusal: text } = broker.explain(request);
    assert.equal(outcome, 'refused');
    return text;
  };
  assert.equal(refusal({ exchange: 'x' }), "NOT_FOUND - no exchange 'x' in vhost '/'");
  const internal = "cannot publish to internal exchange 'amq.rabbitmq.trace' in vhost '/'";
  assert.equal(refusal({ exchange: 'amq.rabbitmq.trace' }), `ACCESS_REFUSED - ${internal}`);
  const expiration = refusal({ exchange: 'orders', expiration: 'soon' });
  assert.equal(expiration, "PRECONDITION_FAILED - invalid expiration 'soon': no_integer");
  assert.throws(() => broker.explain({ vhost: 'x', exchange: '' }), RangeError);
});

test('what a user may not publish is refused, as the user would be told', async (t) => {
  const { broker } = await orders(t);
  await broker.users.create({ name: 'ann', password: 'secret', tags: [] });
  const outcome = (exchange: string, routingKey: string): string => {
    const request = { exchange, routingKey, user: 'ann' };
    const { outcome: said, refusal } = broker.explain(request);
    return refusal ?? said;
  };
  const nowhere = "ACCESS_REFUSED - access to vhost '/' refused for user 'ann'";
  assert.equal(outcome('orders', 'order.new.eu'), nowhere);
  const ann = { user: 'ann', vhost: '/' };
  broker.permissions.set({ ...ann, configure: '', write: '^orders$', read: '' });
  assert.equal(outcome('orders', 'order.new.eu'), 'routed');
  const elsewhere = "write access to exchange 'amq.topic' in vhost '/' refused for user 'ann'";
  assert.equal(outcome('amq.topic', 'a'), `ACCESS_REFUSED - ${elsewhere}`);
  broker.permissions.setTopic({ ...ann, exchange: 'orders', write: '^other', read: '' });
  const topic = "write access to topic 'order.new.eu' in exchange 'orders' in vhost '/'";
  const refused = `ACCESS_REFUSED - ${topic} refused for user 'ann'`;
  assert.equal(outcome('orders', 'order.new.eu'), refused);
  const copied = { exchange: 'orders', routingKey: 'other', headers: { CC: ['order.new.eu'] } };
  assert.equal(broker.explain({ ...copied, user: 'ann' }).refusal, refused);
  assert.equal(broker.explain(copied).outcome, 'routed');
});

test('what reached no queue is remembered, with what came near', async (t) => {
  const { broker, publish } = await orders(t);
  await publish('orders', 'order.new.ue');
  await publish('orders', 'order.new.ue');
  await publish('', 'grösse');
  await publish('', 'größe');
  const seen = broker.unroutable().map(({ exchange, routingKey, count, nearMisses }) => {
    const [nearest] = nearMisses;
    return [exchange, routingKey, count, nearest?.destination, nearest?.bindingKey];
  });
  assert.deepEqual(seen, [
    ['', 'grösse', 1, 'größe', 'größe'],
    ['orders', 'order.new.ue', 2, 'größe', 'order.*.eu'],
  ]);
});
