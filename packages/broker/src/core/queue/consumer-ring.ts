import type { Consumer } from '../consumer.js';
import type { ConsumerOrder } from './consumer-order.js';

/**
 * Consumers of one priority that may have credit, linked in a ring: one of hundreds of thousands
 * comes and goes as quickly as one of two.
 */
interface Level {
  readonly priority: number;
  /** Whose turn it is; undefined if nobody is there. */
  turn: Consumer | undefined;
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
    level.turn ??= consumer;
    const last = level.turn.previous ?? consumer;
    consumer.previous = last;
    consumer.next = level.turn;
    last.next = consumer;
    level.turn.previous = consumer;
  }

  resume(consumer: Consumer): void {
    this.add(consumer);
  }

  remove(consumer: Consumer): void {
    const at = this.#placeOf(consumer.spec.priority);
    const level = this.#levels[at];
    if (level?.priority !== consumer.spec.priority) return;
    if (consumer.next !== undefined) take(level, consumer);
    // It may have been the last of its priority; those who are parked make theirs anew.
    if (level.turn === undefined) this.#levels.splice(at, 1);
  }

  /** The consumer whose turn it is, among those that may be given a message. */
  peek(): Consumer | undefined {
    for (let level = this.#first(); level !== undefined; level = this.#first()) {
      const consumer = level.turn!;
      if (consumer.canTake()) return consumer;
      consumer.parked = true;
      take(level, consumer);
    }
    return undefined;
  }

  /** Passes the turn on, after {@link peek}'s consumer has been given a message. */
  advance(): void {
    const level = this.#first()!;
    level.turn = level.turn!.next;
  }

  takers(): number {
    let count = 0;
    for (const { turn } of this.#levels) {
      for (let each = turn; each !== undefined; each = each.next === turn ? undefined : each.next) {
        count += each.room();
      }
    }
    return count;
  }

  /** The highest level with anybody in it who may have credit. */
  #first(): Level | undefined {
    for (const level of this.#levels) if (level.turn !== undefined) return level;
    return undefined;
  }

  #levelOf(priority: number): Level {
    const at = this.#placeOf(priority);
    const found = this.#levels[at];
    if (found?.priority === priority) return found;
    const level: Level = { priority, turn: undefined };
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

/** Takes a consumer out of the ring; if it was its turn, it is the next one's. */
function take(level: Level, consumer: Consumer): void {
  const { previous, next } = consumer;
  consumer.previous = undefined;
  consumer.next = undefined;
  if (next === consumer || previous === undefined || next === undefined) {
    level.turn = undefined;
    return;
  }
  previous.next = next;
  next.previous = previous;
  if (level.turn === consumer) level.turn = next;
}
