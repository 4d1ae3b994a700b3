import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Exchange } from './exchange.js';
import type { Destination } from './router.js';
import { topicMatches } from './topic-match.test.support.js';
import { TopicTrie } from './topic-trie.js';

/** Things to bind to: their names tell them apart. */
const DESTINATIONS = Array.from({ length: 4 }, (_, i) => newDestination(`to ${i}`));

function newDestination(name: string): Destination {
  return new Exchange({
    name,
    type: 'fanout',
    durable: false,
    autoDelete: false,
    internal: false,
    arguments: new Map(),
  });
}

function matched(trie: TopicTrie, words: readonly string[]): Set<string> {
  const into = new Set<Destination>();
  trie.match(words, into);
  return new Set([...into].map((each) => each.name));
}

const word = fc.constantFrom('a', 'b', '', '*', '#');
const pattern = fc.array(
  fc.oneof({ weight: 1, arbitrary: word }, { weight: 1, arbitrary: fc.constantFrom('*', '#') }),
  { maxLength: 6 },
);
const key = fc.array(word, { maxLength: 7 });
const binding = fc.record({ words: pattern, destination: fc.constantFrom(...DESTINATIONS) });

test('it matches as trying everything does, while bindings come and go', () => {
  const step = fc.record({ binding, at: fc.nat(), adds: fc.boolean() });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 25, size: 'max' }),
      fc.array(key, { minLength: 1, maxLength: 10 }),
      (steps, keys) => {
        const trie = new TopicTrie();
        const bindings: { words: string[]; destination: Destination }[] = [];
        for (const { binding: each, at, adds } of steps) {
          if (adds || bindings.length === 0) {
            trie.add(each.words, each.destination);
            bindings.push(each);
          } else {
            const [removed] = bindings.splice(at % bindings.length, 1);
            trie.remove(removed!.words, removed!.destination);
          }
        }
        for (const words of keys) {
          const expected = bindings.filter((each) => topicMatches(each.words, words));
          const names = new Set(expected.map((each) => each.destination.name));
          assert.deepEqual(matched(trie, words), names, words.join('.'));
        }
      },
    ),
    { numRuns: 1000 },
  );
});

test('a key of many words against a pattern of many # takes no time to speak of', () => {
  const trie = new TopicTrie();
  const words = Array.from({ length: 120 }, () => 'a');
  // Trying everything would take longer than the universe has.
  trie.add(
    Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? '#' : 'a')),
    DESTINATIONS[0]!,
  );
  trie.add(
    Array.from({ length: 50 }, () => '#'),
    DESTINATIONS[1]!,
  );
  assert.deepEqual(matched(trie, [...words, 'b']), new Set(['to 1']));
  assert.deepEqual(matched(trie, words), new Set(['to 0', 'to 1']));
});

test('removing what was never added is harmless', () => {
  const trie = new TopicTrie();
  trie.add(['a', '#'], DESTINATIONS[0]!);
  trie.remove(['a'], DESTINATIONS[0]!);
  trie.remove(['a', '#', 'b'], DESTINATIONS[0]!);
  trie.remove(['a', '#'], DESTINATIONS[1]!);
  trie.remove([], DESTINATIONS[0]!);
  assert.deepEqual(matched(trie, ['a', 'b']), new Set(['to 0']));
});

test('the same pattern bound twice has to be removed twice', () => {
  const trie = new TopicTrie();
  trie.add(['a', '*'], DESTINATIONS[0]!);
  trie.add(['a', '*'], DESTINATIONS[0]!);
  trie.remove(['a', '*'], DESTINATIONS[0]!);
  assert.deepEqual(matched(trie, ['a', 'b']), new Set(['to 0']));
  trie.remove(['a', '*'], DESTINATIONS[0]!);
  assert.deepEqual(matched(trie, ['a', 'b']), new Set());
});
