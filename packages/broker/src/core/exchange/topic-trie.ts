import { DestinationCount } from './destination-count.js';
import type { Destination } from './router.js';

/** One word of the binding keys that lead here; `*` and `#` are words like any other. */
class Node {
  readonly children = new Map<string, Node>();
  readonly destinations = new DestinationCount();
  /** Whether this is a `#`: it takes any further word. */
  readonly isRest: boolean;

  constructor(word: string) {
    this.isRest = word === '#';
  }

  get isEmpty(): boolean {
    return this.children.size === 0 && this.destinations.isEmpty;
  }
}

/**
 * Binding keys as a tree of words: matching a routing key costs as many steps as its words have
 * branches to follow, not one for each binding.
 */
export class TopicTrie {
  readonly #root = new Node('');

  add(words: readonly string[], destination: Destination): void {
    let node = this.#root;
    for (const word of words) {
      let child = node.children.get(word);
      if (child === undefined) {
        child = new Node(word);
        node.children.set(word, child);
      }
      node = child;
    }
    node.destinations.add(destination);
  }

  remove(words: readonly string[], destination: Destination): void {
    const path: Node[] = [this.#root];
    for (const word of words) {
      const child = path.at(-1)?.children.get(word);
      if (child === undefined) return;
      path.push(child);
    }
    path.at(-1)?.destinations.remove(destination);
    for (let depth = words.length; depth > 0 && path[depth]?.isEmpty; depth--) {
      path[depth - 1]?.children.delete(words[depth - 1]!);
    }
  }

  /**
   * Follows all patterns at once, word by word, as a set of places in the tree. A `#` is a place
   * that every further word leads back to, so no key makes this more than words × places.
   */
  match(words: readonly string[], into: Set<Destination>): void {
    let places = new Set<Node>();
    addPlace(this.#root, places);
    for (const word of words) {
      const next = new Set<Node>();
      for (const place of places) {
        if (place.isRest) addPlace(place, next);
        addPlace(place.children.get(word), next);
        addPlace(place.children.get('*'), next);
      }
      places = next;
    }
    for (const place of places) place.destinations.addAllTo(into);
  }
}

/** Adds a place, and what `#` behind it makes of no words at all. */
function addPlace(node: Node | undefined, places: Set<Node>): void {
  for (let place = node; place !== undefined; place = place.children.get('#')) places.add(place);
}
