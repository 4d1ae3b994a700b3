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
  /** Highest priority first; only levels with a consumer in them. */
  readonly #levels: Level[] = [];

  /** Lets a consumer take part, last in its round. */
  add(consumer: Consumer): void {
    consumer.parked = false;
    const level = this.#levelOf(consumer.spec.priority);
    level.ready.splice(level.turn, 0, consumer);
    level.turn = (level.turn + 1) % level.ready.length;
  }

  resume(consumer: Consumer): void {
    this.add(consumer);
  }

  remove(consumer: Consumer): void {
    for (const level of this.#levels) {
      const index = level.ready.indexOf(consumer);
      if (index >= 0) this.#take(level, index);
    }
  }

  /** The consumer whose turn it is, among those that may be given a message. */
  peek(): Consumer | undefined {
    while (this.#levels.length > 0) {
      const level = this.#levels[0]!;
      const consumer = level.ready[level.turn]!;
      if (consumer.canTake()) return consumer;
      consumer.parked = true;
      // With nobody left who has credit, the level is taken out, and the next one is the first.
      this.#take(level, level.turn);
    }
    return undefined;
  }

  /** Passes the turn on, after {@link peek}'s consumer has been given a message. */
  advance(): void {
    const level = this.#levels[0]!;
    level.turn = level.turn + 1 === level.ready.length ? 0 : level.turn + 1;
  }

  takers(): number {
    let count = 0;
    for (const { ready } of this.#levels) for (const consumer of ready) count += consumer.room();
    return count;
  }

  #take(level: Level, index: number): void {
    level.ready.splice(index, 1);
    if (index < level.turn) level.turn--;
    if (level.turn >= level.ready.length) level.turn = 0;
    if (level.ready.length === 0) this.#levels.splice(this.#levels.indexOf(level), 1);
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
