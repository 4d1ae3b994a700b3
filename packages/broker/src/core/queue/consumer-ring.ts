import type { Consumer } from '../consumer.js';
import type { ConsumerOrder } from './consumer-order.js';

/** Consumers of one priority that may have credit, and whose turn it is. */
interface Level {
  readonly priority: number;
  readonly ready: Consumer[];
  turn: number;
}

/**
 * Whose turn it is among a queue's consumers: strictly one after the other within a priority, and
 * a lower priority only while every consumer above is out of credit. A consumer found without
 * credit is parked, so that it costs nothing until it is resumed; it then comes last.
 */
export class ConsumerRing implements ConsumerOrder {
  /**
   * Highest priority first. A level whose consumers are all parked stays, for them to come back to:
   * with a prefetch, the same one is parked and resumed for nearly every message.
   */
  readonly #levels: Level[] = [];

  /** Lets a consumer take part, last in its round. */
  add(consumer: Consumer): void {
    consumer.parked = false;
    const level = this.#levelOf(consumer.spec.priority);
    if (level.ready.length === 0) {
      level.ready.push(consumer);
      return;
    }
    level.ready.splice(level.turn, 0, consumer);
    level.turn = (level.turn + 1) % level.ready.length;
  }

  resume(consumer: Consumer): void {
    this.add(consumer);
  }

  remove(consumer: Consumer): void {
    const at = this.#placeOf(consumer.spec.priority);
    const level = this.#levels[at];
    if (level?.priority !== consumer.spec.priority) return;
    const index = level.ready.indexOf(consumer);
    if (index >= 0) take(level, index);
    // It may have been the last of its priority; those who are parked make theirs anew.
    if (level.ready.length === 0) this.#levels.splice(at, 1);
  }

  /** The consumer whose turn it is, among those that may be given a message. */
  peek(): Consumer | undefined {
    for (let level = this.#first(); level !== undefined; level = this.#first()) {
      const consumer = level.ready[level.turn]!;
      if (consumer.canTake()) return consumer;
      consumer.parked = true;
      take(level, level.turn);
    }
    return undefined;
  }

  /** Passes the turn on, after {@link peek}'s consumer has been given a message. */
  advance(): void {
    const level = this.#first()!;
    level.turn = level.turn + 1 === level.ready.length ? 0 : level.turn + 1;
  }

  takers(): number {
    let count = 0;
    for (const { ready } of this.#levels) for (const consumer of ready) count += consumer.room();
    return count;
  }

  /** The highest level with anybody in it who may have credit. */
  #first(): Level | undefined {
    for (const level of this.#levels) if (level.ready.length > 0) return level;
    return undefined;
  }

  #levelOf(priority: number): Level {
    const at = this.#placeOf(priority);
    const found = this.#levels[at];
    if (found?.priority === priority) return found;
    const level: Level = { priority, ready: [], turn: 0 };
    this.#levels.splice(at, 0, level);
    return level;
  }

  /** Where the level of a priority is, or would be. */
  #placeOf(priority: number): number {
    let low = 0;
    let high = this.#levels.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#levels[middle]!.priority > priority) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function take(level: Level, index: number): void {
  if (level.ready.length === 1) {
    level.ready.pop();
    level.turn = 0;
    return;
  }
  level.ready.splice(index, 1);
  if (index < level.turn) level.turn--;
  if (level.turn >= level.ready.length) level.turn = 0;
}
