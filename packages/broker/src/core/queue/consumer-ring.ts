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
    for (const level of this.#levels) {
      const index = level.ready.indexOf(consumer);
      if (index >= 0) take(level, index);
    }
    this.#dropEmpty();
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

  /** Whoever leaves may have been the last of a priority; those who are parked make theirs anew. */
  #dropEmpty(): void {
    for (let index = this.#levels.length - 1; index >= 0; index--) {
      if (this.#levels[index]!.ready.length === 0) this.#levels.splice(index, 1);
    }
  }

  #levelOf(priority: number): Level {
    let index = 0;
    while (index < this.#levels.length && this.#levels[index]!.priority > priority) index++;
    const found = this.#levels[index];
    if (found?.priority === priority) return found;
    const level: Level = { priority, ready: [], turn: 0 };
    this.#levels.splice(index, 0, level);
    return level;
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
