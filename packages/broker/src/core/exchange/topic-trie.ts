import { DestinationCount } from './destination-count.js';
import type { Destination } from './router.js';

/** One word of the binding keys that lead here; `*` and `#` are words like any other. */
class Node {
  readonly children = new Map<string, Node>();
  readonly destinations = new DestinationCount();
  /** Whether this is a `#`: it takes any further word. */
  readonly isRest: boolean;
  /** The step of a match it was reached on last: two ways may lead here, it counts once. */
  reachedOn = 0;

  constructor(word: string) {
    this.isRest = word === '#';
  }

  get isEmpty(): boolean {
    return this.children.size === 0 && this.destinations.isEmpty;
  }
}

/** How far words have led in a {@link TopicTrie}. */
export interface Followed {
  /** How many of them. */
  readonly words: number;
  /** The words of binding keys that lead on from there. */
  readonly next: readonly string[];
  /** Whether a binding key ends there. */
  readonly isEnd: boolean;
}

/**
 * Binding keys as a tree of words: matching a routing key costs as many steps as its words have
 * branches to follow, not one for each binding.
 */
export class TopicTrie {
  readonly #root = new Node('');
  /** Counts the words of all matches there have been. */
  #step = 0;

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
   * Follows all patterns at once, word by word, as a row of places in the tree. A `#` is a place
   * that every further word leads back to, so no key makes this more than words × places.
   */
  match(words: readonly string[], into: Set<Destination>): void {
    let places = this.#begin();
    for (const word of words) places = this.#follow(places, word);
    for (const place of places) place.destinations.addAllTo(into);
  }

  /** How far words can be followed, and what could come there. */
  follow(words: readonly string[]): Followed {
    let places = this.#begin();
    let followed = 0;
    for (const word of words) {
      const next = this.#follow(places, word);
      if (next.length === 0) break;
      places = next;
      followed++;
    }
    const nextWords = new Set(places.flatMap(({ children }) => [...children.keys()]));
    const isEnd = places.some(({ destinations }) => !destinations.isEmpty);
    return { words: followed, next: [...nextWords], isEnd };
  }

  #begin(): Node[] {
    const places: Node[] = [];
    this.#step++;
    this.#reach(this.#root, places);
    return places;
  }

  /** The places that a word leads to. */
  #follow(places: readonly Node[], word: string): Node[] {
    const next: Node[] = [];
    this.#step++;
    for (const place of places) {
      if (place.isRest) this.#reach(place, next);
      this.#reach(place.children.get(word), next);
      this.#reach(place.children.get('*'), next);
    }
    return next;
  }

  /** Adds a place, and what `#` behind it makes of no words at all. */
  #reach(node: Node | undefined, places: Node[]): void {
    let place = node;
    while (place !== undefined && place.reachedOn !== this.#step) {
      place.reachedOn = this.#step;
      places.push(place);
      place = place.children.get('#');
    }
  }
}
