import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TestMessage } from '../message.test.support.js';
import { Exchange } from './exchange.js';
import { routerContract } from './router.contract.js';
import type { Destination } from './router.js';
import { TopicRouter } from './topic.js';
import { topicMatches } from './topic-match.test.support.js';

/** The empty key has no words; an empty word is a word everywhere else. */
function wordsOf(key: string): string[] {
  return key === '' ? [] : key.split('.');
}

function keyOf(words: readonly string[]): string {
  return words.join('.');
}

const key = fc.array(fc.constantFrom('a', 'b', '*', ''), { maxLength: 5 }).map(keyOf);
const pattern = fc.array(fc.constantFrom('a', 'b', '', '*', '#'), { maxLength: 4 }).map(keyOf);

routerContract('topic', {
  newRouter: () => new TopicRouter(),
  bindings: fc.record({ routingKey: pattern, arguments: fc.constant(new Map()) }),
  messages: fc.record({ routingKey: key, headers: fc.constant(new Map()) }),
  matches: (binding, message) =>
    topicMatches(wordsOf(binding.routingKey), wordsOf(message.routingKey)),
  byRoutingKey: true,
});

test('the edges, as RabbitMQ has them', () => {
  const cases: [pattern: string, key: string, matches: boolean][] = [
    ['#', '', true],
    ['#', 'a.b.c', true],
    ['#.#', '', true],
    ['*', '', false],
    ['', '', true],
    ['', 'a', false],
    ['*', 'a', true],
    ['*', 'a.b', false],
    ['a.#', 'a', true],
    ['a.#', 'a.', true],
    ['#.a', 'a', true],
    ['a.*', 'a.', true],
    ['*.*', '.', true],
    ['*', '.', false],
    ['a..b', 'a..b', true],
    ['a.*.b', 'a..b', true],
    ['a.b', 'a..b', false],
    ['*.b.*', 'a.b.c', true],
    ['#.b.#', 'b', true],
    ['a.#.b', 'a.b', true],
    ['a.#.b', 'a.x.y.b', true],
    ['a#', 'a', false],
    ['a#', 'a#', true],
    ['**', 'a', false],
  ];
  const destination = new Exchange({
    name: 'to',
    type: 'fanout',
    durable: false,
    autoDelete: false,
    internal: false,
    arguments: new Map(),
  });
  for (const [routingKey, published, matches] of cases) {
    const router = new TopicRouter();
    router.add({ source: destination, destination, routingKey, arguments: new Map() });
    const into = new Set<Destination>();
    router.route(published, new TestMessage('message'), into);
    assert.equal(into.size === 1, matches, `'${routingKey}' and '${published}'`);
  }
});
