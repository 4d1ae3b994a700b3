import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BasicProperties, FieldTable, FieldValue } from '@leveret/amqp';
import { bindTo, reached, someDestination } from '../routing-fixture.test.support.js';
import { ConsistentHashRouter } from './consistent-hash.js';

const NONE: FieldTable = new Map();
const KEYS = Array.from({ length: 20_000 }, (_, i) => `key ${i}`);

function text(value: string): FieldValue {
  return { type: 'S', value };
}

function withHeader(name: string, value: FieldValue): BasicProperties {
  return { headers: new Map([[name, value]]) };
}

/** Where each key goes. */
function placed(router: ConsistentHashRouter): string[] {
  return KEYS.map((key) => reached(router, key).join());
}

describe('x-consistent-hash', () => {
  test('spreads keys over the destinations by weight', () => {
    const router = new ConsistentHashRouter(NONE);
    const weights = { a: 1, b: 1, c: 2, d: 4 };
    for (const [name, weight] of Object.entries(weights)) {
      bindTo(router, someDestination(name), String(weight));
    }
    const places = placed(router);
    for (const [name, weight] of Object.entries(weights)) {
      const share = places.filter((place) => place === name).length / KEYS.length;
      assert.ok(Math.abs(share - weight / 8) < 0.02, `${name} has ${share} of the keys`);
    }
  });

  test('sends a message to one destination, the same for the same key', () => {
    const router = new ConsistentHashRouter(NONE);
    for (const name of ['a', 'b', 'c']) bindTo(router, someDestination(name), '5');
    const places = placed(router);
    assert.deepEqual(placed(router), places);
    assert.ok(places.every((place) => ['a', 'b', 'c'].includes(place)));
  });

  test('places keys alike whichever destination was bound first', () => {
    const [a, b, c] = ['a', 'b', 'c'].map(someDestination);
    const one = new ConsistentHashRouter(NONE);
    for (const queue of [a!, b!, c!]) bindTo(one, queue, '1');
    const other = new ConsistentHashRouter(NONE);
    for (const queue of [c!, a!, b!]) bindTo(other, queue, '1');
    assert.deepEqual(placed(one), placed(other));
  });

  test('a binding that goes gives its keys away, and one that comes back has them again', () => {
    const router = new ConsistentHashRouter(NONE);
    const [first] = ['a', 'b', 'c', 'd'].map((name) => bindTo(router, someDestination(name), '2'));
    const before = placed(router);
    router.remove(first!);
    const after = placed(router);
    before.forEach((place, index) => {
      if (place === 'a') assert.notEqual(after[index], 'a');
      else assert.equal(after[index], place);
    });
    router.add(first!);
    assert.deepEqual(placed(router), before);
  });

  test('a destination bound twice keeps its first weight until that binding goes', () => {
    const router = new ConsistentHashRouter(NONE);
    const queue = someDestination('a');
    const light = bindTo(router, queue, '1');
    bindTo(router, queue, '1000');
    bindTo(router, someDestination('b'), '1');
    const share = (): number => placed(router).filter((place) => place === 'a').length;
    assert.ok(Math.abs(share() / KEYS.length - 0.5) < 0.02);
    router.remove(light);
    assert.ok(share() / KEYS.length > 0.98);
  });

  test('goes by the first routing key alone when there are more', () => {
    const router = new ConsistentHashRouter(NONE);
    for (const name of ['a', 'b', 'c', 'd']) bindTo(router, someDestination(name), '1');
    for (const key of KEYS.slice(0, 100)) {
      assert.deepEqual(reached(router, key, {}, ['x', 'y', 'z']), reached(router, key));
    }
  });

  for (const argument of ['hash-header', 'x-hash-on']) {
    test(`goes by the header that ${argument} names`, () => {
      const router = new ConsistentHashRouter(new Map([[argument, text('id')]]));
      assert.equal(router.byRoutingKey, false);
      for (const name of ['a', 'b', 'c', 'd']) bindTo(router, someDestination(name), '1');
      const by = (id: FieldValue, key: string): string =>
        reached(router, key, withHeader('id', id)).join();
      const places = new Set(KEYS.slice(0, 100).map((id) => by(text(id), 'same')));
      assert.equal(places.size, 4);
      assert.equal(by(text('x'), 'one'), by(text('x'), 'other'));
      // An integer of any width is the same key, and no header at all is one too.
      assert.equal(by({ type: 'b', value: 5 }, ''), by({ type: 'I', value: 5 }, ''));
      assert.deepEqual(reached(router, 'one'), reached(router, 'other'));
    });
  }

  test('goes by the property that hash-property names', () => {
    const cases: [string, (i: number) => BasicProperties][] = [
      ['message_id', (i) => ({ messageId: `m${i}` })],
      ['correlation_id', (i) => ({ correlationId: `c${i}` })],
      ['timestamp', (i) => ({ timestamp: BigInt(i) })],
    ];
    for (const [property, properties] of cases) {
      const router = new ConsistentHashRouter(new Map([['hash-property', text(property)]]));
      for (const name of ['a', 'b', 'c', 'd']) bindTo(router, someDestination(name), '1');
      const places = KEYS.slice(0, 100).map((_, i) =>
        reached(router, 'same', properties(i)).join(),
      );
      assert.equal(new Set(places).size, 4, property);
      assert.deepEqual(reached(router, 'other', properties(7)), [places[7]]);
    }
  });

  test('routes nowhere when nothing is bound', () => {
    assert.deepEqual(reached(new ConsistentHashRouter(NONE), 'k'), []);
  });

  test('refuses what RabbitMQ refuses, in its words', () => {
    const cases: [FieldTable, string][] = [
      [
        new Map([
          ['hash-header', text('a')],
          ['hash-property', text('message_id')],
        ]),
        'hash-header and hash-property are mutually exclusive',
      ],
      [new Map([['hash-property', text('reply_to')]]), 'Unsupported property: reply_to'],
      [new Map([['x-algorithm', text('dice')]]), 'Unsupported algorithm: dice'],
      [
        new Map<string, FieldValue>([['hash-header', { type: 'I', value: 5 }]]),
        "Invalid argument 5, 'hash-header' must be a string",
      ],
    ];
    for (const [args, message] of cases) {
      assert.throws(() => new ConsistentHashRouter(args), { message });
    }
    for (const algorithm of ['ring', 'jump']) {
      new ConsistentHashRouter(new Map([['x-algorithm', text(algorithm)]]));
    }
  });

  test('takes whole numbers from 1 as binding keys', () => {
    const router = new ConsistentHashRouter(NONE);
    for (const key of ['1', '+3', '03', '1000000']) router.check(NONE, key);
    for (const key of ['', 'x', '1.5', ' 3']) {
      const message = `The binding key must be an integer: <<${key && `"${key}"`}>>`;
      assert.throws(() => router.check(NONE, key), { message });
    }
    for (const key of ['0', '-1']) {
      const message = 'The binding key must be greater than 0';
      assert.throws(() => router.check(NONE, key), { message });
    }
  });
});
