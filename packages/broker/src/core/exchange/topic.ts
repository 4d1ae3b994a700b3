import type { Message } from '../message.js';
import type { Binding, Destination, Router } from './router.js';
import { TopicTrie } from './topic-trie.js';
import {
  type BindingVerdict,
  explainEach,
  likeness,
  type PartVerdict,
  type Verdict,
} from './verdict.js';

/**
 * Routes by pattern (0-9-1 §3.1.3.3): keys are words separated by dots, in a binding key `*` stands
 * for exactly one word and `#` for any number of words, none included.
 */
export class TopicRouter implements Router {
  readonly byRoutingKey = true;
  readonly #trie = new TopicTrie();

  check(): void {}

  add(binding: Binding): void {
    this.#trie.add(wordsOf(binding.routingKey), binding.destination);
  }

  remove(binding: Binding): void {
    this.#trie.remove(wordsOf(binding.routingKey), binding.destination);
  }

  route(routingKey: string, _message: Message, into: Set<Destination>): void {
    this.#trie.match(wordsOf(routingKey), into);
  }

  explain(bindings: Iterable<Binding>, routingKey: string): BindingVerdict[] {
    const words = wordsOf(routingKey);
    return explainEach(bindings, (binding) => judge(binding, words));
  }
}

/** Word by word, by the same tree, with this one binding key in it. */
function judge({ routingKey: wanted, destination }: Binding, words: readonly string[]): Verdict {
  const trie = new TopicTrie();
  const pattern = wordsOf(wanted);
  trie.add(pattern, destination);
  const reached = trie.follow(words);
  const matches = reached.words === words.length && reached.isEnd;
  const hasRest = pattern.includes('#');
  const parts: PartVerdict[] = words.slice(0, reached.words).map((found, i) => {
    // Behind a `#` nobody can say which word of the pattern has met which.
    const met = hasRest ? found : pattern[i]!;
    return { what: `word ${i + 1}`, wanted: met, found, matches: true };
  });
  if (matches) return { matches, why: `'${wanted}' matches`, parts, nearness: 1 };
  const found = words[reached.words];
  const next = reached.next.length > 0 ? reached.next.join(' or ') : 'the end';
  const what = `word ${reached.words + 1}`;
  parts.push({ what, wanted: next, found, matches: false });
  const why = `'${wanted}' does not match`;
  return { matches, why, parts, nearness: nearnessOf(pattern, reached.next, found) };
}

/** How much of a pattern has been met when a word is not the next; `#` asks for nothing. */
function nearnessOf(
  pattern: readonly string[],
  next: readonly string[],
  found: string | undefined,
): number {
  const asks = (words: readonly string[]): number => words.filter((word) => word !== '#').length;
  const met =
    next.length === 0 ? pattern.length : Math.max(...next.map((w) => pattern.lastIndexOf(w)));
  const nearest = Math.max(0, ...next.map((word) => likeness(word, found ?? '')));
  // A word that is nearly right counts for nearly as much.
  return (asks(pattern.slice(0, met)) + 0.9 * nearest) / (asks(pattern) + 1);
}

/** The words of a key. The empty key has none; RabbitMQ sees it so, other empty words are words. */
function wordsOf(key: string): string[] {
  return key === '' ? [] : key.split('.');
}
