import type { Message } from '../message.js';
import type { Binding, Destination, Router } from './router.js';
import { TopicTrie } from './topic-trie.js';

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
}

/** The words of a key. The empty key has none; RabbitMQ sees it so, other empty words are words. */
function wordsOf(key: string): string[] {
  return key === '' ? [] : key.split('.');
}
