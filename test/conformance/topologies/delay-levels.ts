import type { WireArguments } from '../../wire/wire-codec.js';
import type { Topology } from './topology.js';

/** The longest delay has so many bits, in seconds: eight and a half years. */
export const DELAY_BITS = 28;
export const DELAY_SECONDS_MAX: number = 2 ** DELAY_BITS - 1;

/** The names a framework gives to its levels, and what else it asks of their queues. */
export interface DelayScheme {
  levelName(level: number): string;
  readonly deliveryExchange: string;
  readonly queueArguments: WireArguments;
}

/**
 * A delay of any length by dead letters. There is a level for each bit of a number of seconds: a
 * topic exchange, and a queue that holds what it gets for 2^level seconds and then passes it on to
 * the level below. The routing key begins with the bits, the highest first; at each level a 1
 * leads into the queue, and a 0 straight to the level below:
 *
 *     level 27 ── 0.# ──► level 26 ── *.0.# ──► level 25 ··· level 0 ──► delivery exchange
 *        └ 1.# ─► queue ──►  └ *.1.# ─► queue ──►               └─► queue ──►
 */
export function delayLevels({
  levelName,
  deliveryExchange,
  queueArguments,
}: DelayScheme): Topology {
  const levels = Array.from({ length: DELAY_BITS }, (_, index) => DELAY_BITS - 1 - index);
  const below = (level: number): string => (level > 0 ? levelName(level - 1) : deliveryExchange);
  const keyOf = (level: number, bit: string): string =>
    `${'*.'.repeat(DELAY_BITS - 1 - level)}${bit}.#`;
  return {
    exchanges: [...levels.map(levelName), deliveryExchange].map((exchange) => ({
      exchange,
      type: 'topic',
      durable: true,
    })),
    queues: levels.map((level) => ({
      queue: levelName(level),
      durable: true,
      arguments: {
        ...queueArguments,
        'x-message-ttl': 2 ** level * 1000,
        'x-dead-letter-exchange': below(level),
      },
    })),
    bindings: levels.flatMap((level) => [
      { queue: levelName(level), exchange: levelName(level), routingKey: keyOf(level, '1') },
      { destination: below(level), source: levelName(level), routingKey: keyOf(level, '0') },
    ]),
  };
}

/** The bits of a delay, highest first, and then an address: `0.0. ··· .1.0.1.orders`. */
export function delayKey(seconds: number, address: string): string {
  return [...seconds.toString(2).padStart(DELAY_BITS, '0'), address].join('.');
}

/** The levels whose queues a delay leads through, in that order. */
export function levelsOf(seconds: number): number[] {
  return [...seconds.toString(2)]
    .reverse()
    .flatMap((bit, level) => (bit === '1' ? [level] : []))
    .reverse();
}

/** Where the last dead letter of a delay is published, on its way to the delivery exchange. */
export function lastExchange(
  { levelName, deliveryExchange }: DelayScheme,
  seconds: number,
): string {
  const last = levelsOf(seconds).at(-1)!;
  return last > 0 ? levelName(last - 1) : deliveryExchange;
}

/** The way a message comes that was delayed by so much, as `wayOf` tells it. */
export function wayThrough({ levelName }: DelayScheme, seconds: number): string[] {
  return levelsOf(seconds)
    .map((level) => `${levelName(level)} expired 1`)
    .reverse();
}
