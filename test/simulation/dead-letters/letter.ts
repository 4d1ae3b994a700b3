import { type DeathEntry, deathsOf, headersOf } from '../../wire/deaths.js';
import type { Received } from '../traffic/stream-client.js';
import { DELIVERY_LIMIT, type Home } from './queues.js';

/** By how much the clocks of two processes may differ, in milliseconds. */
const CLOCK_MILLISECONDS = 20;

/** How often something was done to a letter: at most, and as far as it is on the disk. */
export interface Tally {
  asked: number;
  durable: number;
}

/** A message, and all that has been done to it. */
export interface Letter {
  readonly id: number;
  readonly home: Home;
  /** Octets of its body. */
  readonly bytes: number;
  readonly persistent: boolean;
  /** How long it may stay where it was published to, in milliseconds. */
  readonly ttlMilliseconds: number;
  /** When it was published: not before, and if it was confirmed, not after. */
  readonly sentAt: number;
  confirmedAt: number | undefined;
  acknowledged: 'no' | 'maybe' | 'yes';
  readonly rejections: Tally;
  readonly returns: Tally;
}

/** A letter as it was met in a queue. */
export interface Sighting {
  readonly queue: string;
  readonly deaths: readonly DeathEntry[];
  /** How often it has come back, as far as its queue tells. */
  readonly returns: number;
  /** When it was asked for, and when it had come. */
  readonly askedAt: number;
  readonly seenAt: number;
}

export function sightingOf(
  queue: string,
  message: Received,
  { askedAt, seenAt }: Pick<Sighting, 'askedAt' | 'seenAt'>,
): Sighting {
  const returns = Number(headersOf(message)['x-delivery-count'] ?? 0);
  return { queue, deaths: deathsOf(message), returns, askedAt, seenAt };
}

/** What is wrong with a letter's being where it was met, with the deaths it tells of. */
export function* problemsOf(letter: Letter, sighting: Sighting): Generator<string> {
  const { home, acknowledged, rejections } = letter;
  const { queue, deaths } = sighting;
  if (acknowledged === 'yes') yield 'was acknowledged for good, and came back';
  const way = deaths.map((death) => `${death.queue} ${death.reason}`).join(', ');
  const counts = deaths.map(({ count }) => count);
  if (home === 'work') yield* problemsOfWork(sighting, rejections, way, counts);
  else if (queue === home) {
    if (way !== '') yield `is at home, and has died: ${way}`;
    if (rejections.durable > 0) yield 'was rejected for good, and came back';
    yield* problemsAtHome(letter, sighting);
  } else if (queue !== 'dead') yield 'is not its own';
  else yield* problemsOfDead(letter, sighting, way, counts);
}

/** A letter of `work` goes round by `retry`, once for each rejection. */
function* problemsOfWork(
  { queue }: Sighting,
  rejections: Tally,
  way: string,
  counts: readonly number[],
): Generator<string> {
  const [last = 0, first = last] = counts;
  const rejected = way.startsWith('work') ? last : first;
  if (!bounds(rejections, rejected)) yield `was rejected ${told(rejections)}, says ${rejected}`;
  const expected =
    queue === 'work'
      ? rejected === 0
        ? ''
        : `retry expired ${rejected}, work rejected ${rejected}`
      : rejected === 1
        ? 'work rejected 1'
        : `work rejected ${rejected}, retry expired ${rejected - 1}`;
  const tells = way.split(', ').map((each, i) => (each === '' ? '' : `${each} ${counts[i]}`));
  if (tells.join(', ') !== expected) yield `tells of ${tells.join(', ')}, not ${expected}`;
}

function* problemsAtHome(letter: Letter, { queue, askedAt, returns }: Sighting): Generator<string> {
  const { confirmedAt, ttlMilliseconds } = letter;
  const dueAt = (confirmedAt ?? Number.POSITIVE_INFINITY) + ttlMilliseconds + CLOCK_MILLISECONDS;
  if (askedAt > dueAt) {
    yield `should have expired more than ${askedAt - dueAt} ms ago`;
  }
  if (queue !== 'poison') return;
  if (returns > DELIVERY_LIMIT) yield `is delivered though it came back ${returns} times`;
  if (!bounds(letter.returns, returns)) yield `came back ${told(letter.returns)}, says ${returns}`;
}

/** A letter in the queue of the dead has died once, where it was published to, for a reason. */
function* problemsOfDead(
  { home, sentAt, ttlMilliseconds, rejections, returns }: Letter,
  { deaths, seenAt }: Sighting,
  way: string,
  counts: readonly number[],
): Generator<string> {
  const time = deaths[0]?.time ?? 0;
  const dueAt = sentAt + ttlMilliseconds - CLOCK_MILLISECONDS;
  const reasons: Readonly<Record<string, boolean>> = {
    rejected: rejections.asked > 0,
    delivery_limit: home === 'poison' && returns.asked > DELIVERY_LIMIT,
    expired: seenAt >= dueAt && time >= Math.floor(dueAt / 1_000),
    maxlen: home === 'short',
  };
  const reason = deaths[0]?.reason ?? '';
  if (way !== `${home} ${reason}` || counts[0] !== 1) yield `tells of ${way} (${counts.join()})`;
  if (reasons[reason] !== true) yield `cannot have died of ${reason}`;
}

function bounds({ asked, durable }: Tally, count: number): boolean {
  return durable <= count && count <= asked;
}

function told({ asked, durable }: Tally): string {
  return `${durable} to ${asked} times`;
}
