import type { Consumer } from '../consumer.js';

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
export class ConsumerRing {
  /** Highest priority first; only levels with a consumer in them. */
  readonly #levels: Level[] = [];

  /** Lets a consumer take part, last in its round. */
  add(consumer: Consumer): void {
    consumer.parked = false;
    const level = this.#levelOf(consumer.spec.priority);
    level.ready.splice(level.turn, 0, consumer);
    level.turn = (level.turn + 1) % level.ready.length;
  }

  remove(consumer: Consumer): void {
    for (const level of this.#levels) {
      const index = level.ready.indexOf(consumer);
      if (index >= 0) this.#take(level, index);
    }
  }

  /** The next consumer that may be given a message; the turn passes to the one after it. */
  next(): Consumer | undefined {
    while (this.#levels.length > 0) {
      // With nobody left who has credit, the level is taken out, and the next one is the first.
      const consumer = this.#nextIn(this.#levels[0]!);
      if (consumer !== undefined) return consumer;
    }
    return undefined;
  }

  #nextIn(level: Level): Consumer | undefined {
    const { ready } = level;
    while (ready.length > 0) {
      const { turn } = level;
      const consumer = ready[turn]!;
      if (consumer.canTake()) {
        level.turn = turn + 1 === ready.length ? 0 : turn + 1;
        return consumer;
      }
      consumer.parked = true;
      this.#take(level, turn);
    }
    return undefined;
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
