import { setTimeout as delay } from 'node:timers/promises';
import type { Broker, BrokerSource } from '../brokers/broker.js';
import { bareWritesPerSecond, JOURNAL_OVERHEAD_BYTES } from '../load/bare-writes.js';
import { Peers } from '../load/peers.js';
import { targetOf } from '../load/raw-peer.js';
import { type Faults, SequenceCheck } from '../load/sequence-check.js';
import { fill } from './fill.js';
import { measurePhase, type Phase } from './phase.js';
import { take } from './take.js';

const QUEUE = 'bench-backlog';

/** How long memory is given to settle before it is looked at, in milliseconds. */
const SETTLE_MILLISECONDS = 1_000;

/** How often it is asked whether messages have come back to the queue, in milliseconds. */
const POLL_MILLISECONDS = 20;

export interface CourseOptions {
  readonly messages: number;
  readonly bodyBytes: number;
  /** How many a consumer takes without acknowledging before they are drained; 0: none. */
  readonly unacknowledged: number;
}

/** How long the disk is measured on its own, in seconds. */
const BARE_WRITES_SECONDS = 1;

/** What became of a backlog. */
export interface Course {
  /** From the crash's end until connections were accepted. */
  readonly restartMilliseconds: number;
  /** What the broker held after the restart, in MiB. */
  readonly restartedMebibytes: number | undefined;
  readonly fill: Phase;
  /** What the broker held a while after the fill, in MiB. */
  readonly filledMebibytes: number | undefined;
  /**
   * What the disk does when nothing is asked of it but synced writes as large as the broker's, in
   * messages a second. Undefined where it is not known where a broker writes to.
   */
  readonly barePerSecond: number | undefined;
  readonly unacknowledged: Phase | undefined;
  readonly drain: Phase;
  readonly faults: Faults;
  /** How many of the drained were marked as redelivered. */
  readonly redelivered: number;
  /** How many were there again after all had been acknowledged and the broker had crashed. */
  readonly cameBack: number;
}

/**
 * Fills a queue with persistent messages that nobody consumes, kills the broker, starts it again,
 * has a consumer take some without acknowledging them, drains the queue, and kills the broker once
 * more to see that what was acknowledged stays away.
 */
export async function runCourse(source: BrokerSource, options: CourseOptions): Promise<Course> {
  let broker = await source.start();
  const crash = async (): Promise<void> => {
    if (broker.crash === undefined) throw new Error(`${source.name} cannot be restarted`);
    broker = await broker.crash();
  };
  try {
    const { phase, answers } = await filling(broker, options);
    await delay(SETTLE_MILLISECONDS);
    const filledMebibytes = broker.process?.residentMebibytes();
    const barePerSecond = bareRate(broker.directory, options, options.messages / answers);
    await crash();
    const restartMilliseconds = broker.startMilliseconds;
    await delay(SETTLE_MILLISECONDS);
    const restartedMebibytes = broker.process?.residentMebibytes();
    const unacknowledged = await takingWithoutAcks(broker, options);
    const drained = await draining(broker, options);
    await crash();
    const cameBack = await countReady(broker);
    return {
      restartMilliseconds,
      restartedMebibytes,
      fill: phase,
      filledMebibytes,
      barePerSecond,
      unacknowledged,
      ...drained,
      cameBack,
    };
  } finally {
    await broker.stop();
  }
}

function filling(
  broker: Broker,
  { messages, bodyBytes }: CourseOptions,
): Promise<{ readonly phase: Phase; readonly answers: number }> {
  return withPeers(broker, async (peers) => {
    await (await peers.open()).declareQueue(QUEUE, true);
    let answers = 0;
    const phase = await measurePhase('fill', broker, messages, async (confirmed) => {
      answers = await fill(peers, { queue: QUEUE, messages, bodyBytes, confirmed });
    });
    return { phase, answers };
  });
}

/** A broker that answers once for each write has told how many messages it writes at once. */
function bareRate(
  directory: string | undefined,
  { bodyBytes }: CourseOptions,
  messagesAWrite: number,
): number | undefined {
  if (directory === undefined) return undefined;
  const bytes = Math.round(messagesAWrite * (bodyBytes + JOURNAL_OVERHEAD_BYTES));
  return messagesAWrite * bareWritesPerSecond(directory, bytes, BARE_WRITES_SECONDS);
}

async function takingWithoutAcks(
  broker: Broker,
  { messages, unacknowledged }: CourseOptions,
): Promise<Phase | undefined> {
  if (unacknowledged === 0) return undefined;
  const check = new SequenceCheck(0);
  const options = { queue: QUEUE, messages: unacknowledged, acknowledges: false, check };
  return withPeers(broker, async (peers) => {
    const onlooker = await peers.open();
    return measurePhase('take without acks', broker, unacknowledged, async (taken) => {
      await take(peers, { ...options, taken });
      while ((await onlooker.countReady(QUEUE)) < messages) await delay(POLL_MILLISECONDS);
    });
  });
}

async function draining(
  broker: Broker,
  { messages }: CourseOptions,
): Promise<Pick<Course, 'drain' | 'faults' | 'redelivered'>> {
  const check = new SequenceCheck(0);
  let redelivered = 0;
  return withPeers(broker, async (peers) => {
    const drain = await measurePhase('drain', broker, messages, async (taken) => {
      const options = { queue: QUEUE, messages, acknowledges: true, check, taken };
      redelivered = await take(peers, options);
    });
    const builder = await peers.open();
    const more = await builder.countReady(QUEUE);
    // What was acknowledged before this is answered is on the disk when it is.
    await builder.declareQueue(`${QUEUE}-after`, true);
    const found = check.faults(messages);
    return { drain, faults: { ...found, duplicated: found.duplicated + more }, redelivered };
  });
}

function countReady(broker: Broker): Promise<number> {
  return withPeers(broker, async (peers) => (await peers.open()).countReady(QUEUE));
}

async function withPeers<T>(broker: Broker, act: (peers: Peers) => Promise<T>): Promise<T> {
  const peers = new Peers(targetOf(broker.url));
  try {
    return await Promise.race([act(peers), peers.failure]);
  } finally {
    peers.closeAll();
  }
}
