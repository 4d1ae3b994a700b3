import type { BasicProperties, FieldTable } from '@leveret/amqp';
import { acksEach, ackUpTo } from '../load/acks.js';
import { bareWritesPerSecond } from '../load/bare-writes.js';
import { type Publish, PublishCycle } from '../load/publish-cycle.js';
import { Publisher } from '../load/publisher.js';
import type { RawPeer } from '../load/raw-peer.js';
import { addFaults, NO_FAULTS, SequenceCheck } from '../load/sequence-check.js';
import { type Figure, type Measurement, type Row, rateOf, type Setting, until } from './row.js';

/** A way of moving messages. */
export interface Flow {
  readonly name: string;
  readonly bodyBytes: number;
  readonly persistent: boolean;
  /** 0: deliveries need no acknowledgement. Otherwise one is sent for each so many deliveries. */
  readonly ackEvery: number;
  readonly prefetch: number;
  /** Publishes that may be unconfirmed; 0: no confirms. */
  readonly confirmWindow: number;
  /** Queues, each with a consumer on a connection of its own. */
  readonly queues: number;
  readonly topology: Topology;
}

/** Names in use. */
export interface Names {
  readonly exchange: string;
  readonly queues: readonly string[];
}

/** How publishes find their queues. */
export interface Topology {
  /** How many of the queues each message goes to. */
  readonly copies: number;
  /** Undefined: the default exchange. */
  readonly exchangeType?: string;
  bind(peer: RawPeer, names: Names): Promise<void>;
  /** What each publisher publishes, in turn; one list a publisher. */
  publishes(names: Names): readonly (readonly Omit<Publish, 'properties'>[])[];
  /** Further properties of a publish. */
  headers?(stream: number): FieldTable;
  /** The stream that arrives in a queue. */
  streamOf(queue: number): number;
}

/** Publishes run ahead of deliveries by so much, so that a backlog is not what is measured. */
const AHEAD_BYTES = 1_048_576;
const PUBLISH_OVERHEAD_BYTES = 70;

/** How long the last messages may take to arrive before they count as lost. */
const DRAIN_SECONDS = 10;

/** How long the disk is measured on its own, in seconds. */
const BARE_WRITES_SECONDS = 1;

/** What the journal writes for a message besides its body, more or less. */
const JOURNAL_OVERHEAD_BYTES = 130;

const RATE: Figure = { name: '', unit: 'msg/s', better: 'higher' };

export function flowRow(flow: Flow): Row {
  return { name: flow.name, figures: [RATE], measure: (setting) => measureFlow(flow, setting) };
}

/**
 * The same for messages that are synced before they are confirmed, held against what the disk does
 * when nothing but such writes is asked of it. Only of a broker that answers once for each write,
 * and of which it is known where it writes to.
 */
export function durableFlowRow(flow: Flow): Row {
  return {
    name: flow.name,
    figures: [
      RATE,
      { name: 'messages a write', unit: '', better: 'higher' },
      { name: 'of a bare O_DSYNC loop', unit: '%', better: 'higher' },
    ],
    measure: async (setting) => {
      const measured = await measureFlow(flow, setting);
      const rate = measured.values[0]!;
      const { directory } = setting.broker;
      if (directory === undefined) return { ...measured, values: [rate] };
      const messages = measured.publishesAnAnswer;
      const bytes = Math.round(messages * (flow.bodyBytes + JOURNAL_OVERHEAD_BYTES));
      const bare = messages * bareWritesPerSecond(directory, bytes, BARE_WRITES_SECONDS);
      return { ...measured, values: [rate, messages, (100 * rate) / bare] };
    },
  };
}

/** What was measured, and how many publishes the broker has confirmed with one answer. */
interface FlowMeasurement extends Measurement {
  readonly publishesAnAnswer: number;
}

async function measureFlow(flow: Flow, setting: Setting): Promise<FlowMeasurement> {
  const { peers, id } = setting;
  const queues = Array.from({ length: flow.queues }, (_, at) => `bench-${id}-${at}`);
  const names = { exchange: `bench-${id}`, queues };
  const builder = await peers.open();
  await build(builder, flow, names);
  const checks = queues.map((_, at) => new SequenceCheck(flow.topology.streamOf(at)));
  const received = (): number => checks.reduce((sum, check) => sum + check.received, 0);
  const lists = flow.topology.publishes(names);
  // One publisher a queue sees only its own deliveries; a single one all of them.
  const delivered = (at: number): number =>
    lists.length === 1 ? received() / flow.topology.copies : checks[at]!.received;
  const publishers = await Promise.all(
    lists.map(async (list, at) => {
      const peer = await peers.open();
      return publisherOf(flow, peer, list, lists.length, () => delivered(at));
    }),
  );
  for (const publisher of publishers) publisher.start(peers);
  await Promise.all(
    queues.map((queue, at) =>
      consume(flow, setting, queue, checks[at]!, () => {
        (publishers[at] ?? publishers[0])!.more();
      }),
    ),
  );
  const rate = await rateOf(setting, received);
  for (const publisher of publishers) publisher.stop();
  const sent = (): number => publishers.reduce((sum, { cycle }) => sum + cycle.published, 0);
  await until(() => received() >= sent() * flow.topology.copies, DRAIN_SECONDS);
  const faults = checks.map((check, at) =>
    check.faults(publishedTo(publishers, flow.topology.streamOf(at))),
  );
  const nacked = publishers.reduce((sum, { confirmed }) => sum + confirmed.nacks, 0);
  await tearDown(builder, flow, names);
  return {
    values: [rate.perSecond],
    cpuMicroseconds: rate.cpuMicroseconds,
    faults: faults.reduce(addFaults, { ...NO_FAULTS, nacked }),
    publishesAnAnswer:
      sent() / publishers.reduce((sum, { confirmed }) => sum + confirmed.answers, 0),
  };
}

function publishedTo(publishers: readonly Publisher[], stream: number): number {
  return publishers.reduce((sum, { cycle }) => sum + cycle.publishedTo(stream), 0);
}

async function build(peer: RawPeer, flow: Flow, names: Names): Promise<void> {
  for (const queue of names.queues) await peer.declareQueue(queue, flow.persistent);
  const { exchangeType } = flow.topology;
  if (exchangeType !== undefined) await peer.declareExchange(names.exchange, exchangeType);
  await flow.topology.bind(peer, names);
}

async function tearDown(peer: RawPeer, flow: Flow, names: Names): Promise<void> {
  for (const queue of names.queues) await peer.deleteQueue(queue);
  if (flow.topology.exchangeType !== undefined) await peer.deleteExchange(names.exchange);
}

async function consume(
  flow: Flow,
  { peers }: Setting,
  queue: string,
  check: SequenceCheck,
  afterChunk: () => void,
): Promise<void> {
  const peer = await peers.open();
  let last = 0;
  let acked = 0;
  const acknowledge = (): void => {
    if (flow.ackEvery > 0 && last - acked >= flow.ackEvery) {
      peer.socket.write(flow.ackEvery === 1 ? acksEach(acked + 1, last) : ackUpTo(last));
      acked = last;
    }
    afterChunk();
  };
  const deliver = (tag: number): void => {
    last = tag;
  };
  const body = (buffer: Buffer, start: number): void =>
    check.take(buffer.readUInt32BE(start), buffer.readUInt32BE(start + 4));
  await peer.consume(queue, flow.ackEvery === 0, flow.prefetch);
  peers.scan(peer, { deliver, body }, acknowledge);
}

/** One of `publishers`, who together do not get too far ahead of what is delivered. */
function publisherOf(
  flow: Flow,
  peer: RawPeer,
  list: readonly Omit<Publish, 'properties'>[],
  publishers: number,
  delivered: () => number,
): Publisher {
  const publishes = list.map((publish) => ({
    ...publish,
    properties: propertiesOf(flow, publish.stream),
  }));
  const cycle = new PublishCycle(publishes, flow.bodyBytes);
  const bytes = flow.bodyBytes + PUBLISH_OVERHEAD_BYTES;
  const ahead = Math.ceil(AHEAD_BYTES / bytes / publishers / flow.topology.copies);
  return new Publisher(peer, cycle, {
    window: flow.confirmWindow,
    least: ahead / 8,
    room: () => ahead - cycle.published + delivered(),
  });
}

function propertiesOf(flow: Flow, stream: number): BasicProperties {
  const headers = flow.topology.headers?.(stream);
  return {
    ...(flow.persistent ? { deliveryMode: 2 } : {}),
    ...(headers === undefined ? {} : { headers }),
  };
}
