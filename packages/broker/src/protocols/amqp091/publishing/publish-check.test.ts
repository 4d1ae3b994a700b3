import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BasicProperties, FieldValue } from '@leveret/amqp';
import { Assembling, framesOf } from '../content.test.support.js';
import type { PublishAssembler } from './publish-assembler.js';
import { checkPublish } from './publish-check.js';

const GUEST = { userName: 'guest', mayImpersonate: false, replyAddress: undefined };

/** A publish with these properties, checked. */
function checked(
  properties: BasicProperties,
  identity: Parameters<typeof checkPublish>[1] = GUEST,
): PublishAssembler {
  let assembler: PublishAssembler | undefined;
  const assembling = new Assembling((_channel, each) => {
    assembler = each;
  });
  const body = Buffer.from('the body');
  const content = {
    exchange: 'x',
    routingKey: 'k',
    mandatory: false,
    immediate: false,
    properties,
    body,
  };
  assembling.push(Buffer.concat(framesOf(1, content, [])));
  assert.ok(assembler !== undefined);
  checkPublish(assembler, identity);
  return assembler;
}

function assertRefused(properties: BasicProperties, text: string): void {
  assert.throws(() => checked(properties), {
    scope: 'channel',
    replyCode: 406,
    replyText: `PRECONDITION_FAILED - ${text}`,
  });
}

function keys(...values: string[]): FieldValue {
  return { type: 'A', value: values.map((value) => ({ type: 'S', value })) };
}

test('an expiration is a number of milliseconds in decimal digits', () => {
  for (const [expiration, milliseconds] of [
    ['0', 0],
    ['60000', 60_000],
    ['+5', 5],
    ['-0', 0],
    ['007', 7],
    ['315360000000', 315_360_000_000],
  ] as const) {
    const { message } = checked({ expiration });
    assert.ok(message.expirationMilliseconds === milliseconds, expiration);
    assert.equal(message.properties().expiration, expiration, 'it goes on as it came');
  }
  assert.equal(checked({}).message.expirationMilliseconds, -1);
});

test('an expiration that is none, in RabbitMQ’s words', () => {
  for (const [expiration, problem] of [
    ['', 'no_integer'],
    ['x', 'no_integer'],
    [' 5', 'no_integer'],
    ['-', 'no_integer'],
    ['12x', '{leftover_string,"x"}'],
    ['1.5', '{leftover_string,".5"}'],
    ['5 "', '{leftover_string," \\""}'],
    ['-1', '{value_negative,-1}'],
    ['315360000001', '{value_too_large,315360000001}'],
    ['+99999999999999999999', '{value_too_large,99999999999999999999}'],
  ] as const) {
    assertRefused({ expiration }, `invalid expiration '${expiration}': ${problem}`);
  }
});

test('a user id is the user’s own', () => {
  checked({ userId: 'guest' });
  assertRefused(
    { userId: 'Guest' },
    "user_id property set to 'Guest' but authenticated user was 'guest'",
  );
  assertRefused({ userId: '' }, "user_id property set to '' but authenticated user was 'guest'");
});

test('a delivery mode is 1 or 2, or none', () => {
  for (const deliveryMode of [1, 2]) checked({ deliveryMode });
  assertRefused({ deliveryMode: 0 }, 'invalid message: {delivery_mode_unknown,0}');
  assertRefused({ deliveryMode: 7 }, 'invalid message: {delivery_mode_unknown,7}');
});

test('CC and BCC are further keys; only BCC is taken out', () => {
  const other: FieldValue = { type: 'I', value: 1 };
  const headers = new Map([
    ['BCC', keys('c')],
    ['other', other],
    ['CC', keys('a', 'b')],
  ]);
  const { message } = checked({ headers, priority: 3, correlationId: 'id' });
  assert.deepEqual(message.extraRoutingKeys, ['a', 'b', 'c']);
  assert.deepEqual(message.properties(), {
    headers: new Map([
      ['other', other],
      ['CC', keys('a', 'b')],
    ]),
    priority: 3,
    correlationId: 'id',
  });
  assert.equal(message.body().toString(), 'the body');
  const { message: visible } = checked({ headers: new Map([['CC', keys('a')]]) });
  assert.deepEqual(visible.extraRoutingKeys, ['a']);
  assert.equal(checked({}).message.extraRoutingKeys, undefined);
});

test('of CC and BCC only the strings count, and nothing but an array will do', () => {
  const mixed: FieldValue = {
    type: 'A',
    value: [
      { type: 'I', value: 1 },
      { type: 'S', value: 'a' },
    ],
  };
  assert.deepEqual(checked({ headers: new Map([['CC', mixed]]) }).message.extraRoutingKeys, ['a']);
  for (const name of ['CC', 'BCC']) {
    assertRefused(
      { headers: new Map([[name, { type: 'S', value: 'a' }]]) },
      `invalid message: {unacceptable_type_in_header,"${name}",longstr}`,
    );
  }
});

test('the name for direct replies becomes the channel’s address', () => {
  const replyTo = 'amq.rabbitmq.reply-to';
  assertRefused({ replyTo }, 'fast reply consumer does not exist');
  const identity = { ...GUEST, replyAddress: `${replyTo}.g1-address` };
  const { message } = checked({ replyTo, messageId: 'm' }, identity);
  assert.deepEqual(message.properties(), { replyTo: identity.replyAddress, messageId: 'm' });
  const { message: other } = checked({ replyTo: 'elsewhere' }, identity);
  assert.equal(other.properties().replyTo, 'elsewhere');
});
