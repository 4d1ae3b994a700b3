import type { BasicProperties, FieldTable } from '@leveret/amqp';
import { Arrivals } from '../load/arrivals.js';
import { bareWritesPerSecond, JOURNAL_OVERHEAD_BYTES } from '../load/bare-writes.js';
import { consume } from '../load/consumer.js';
import type { Peers } from '../load/peers.js';
import { type Publish, PublishCycle } from '../load/publish-cycle.js';
import { Publisher } from '../load/publisher.js';
import type { RawPeer } from '../load/raw-peer.js';
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
  /** Queues, each with a consumer on a connection of its own, or all on one connection. */
  readonly queues: number;
  readonly sharesConsumer?: true;
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

/** How long the disk is measured on its own, in seconds. */
const BARE_WRITES_SECONDS = 1;

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
  const arrivals = new Arrivals(queues.map((_, at) => flow.topology.streamOf(at)));
  const publishers = await publishersOf(flow, names, peers, arrivals);
  await startConsumers(flow, names, peers, arrivals, publishers);
  for (const publisher of publishers) publisher.start(peers);
  const rate = await rateOf(setting, () => arrivals.received);
  for (const publisher of publishers) publisher.stop();
  const sum = (count: (publisher: Publisher) => number): number =>
    publishers.reduce((total, publisher) => total + count(publisher), 0);
  const sent = sum(({ cycle }) => cycle.published);
  await until(() => arrivals.received >= sent * flow.topology.copies, setting.patienceSeconds);
  const faults = arrivals.faults((stream) => sum(({ cycle }) => cycle.publishedTo(stream)));
  await tearDown(builder, flow, names);
  return {
    values: [rate.perSecond],
    ...rate.costs,
    faults: { ...faults, nacked: sum(({ confirmed }) => confirmed.nacks) },
    publishesAnAnswer: sent / sum(({ confirmed }) => confirmed.answers),
  };
}

async function build(peer: RawPeer, flow: Flow, names: Names): Promise<void> {
  await peer.declareQueues(names.queues, flow.persistent);
  const { exchangeType } = flow.topology;
  if (exchangeType !== undefined) await peer.declareExchange(names.exchange, exchangeType);
  await flow.topology.bind(peer, names);
}

async function tearDown(peer: RawPeer, flow: Flow, names: Names): Promise<void> {
  await peer.deleteQueues(names.queues);
  if (flow.topology.exchangeType !== undefined) await peer.deleteExchange(names.exchange);
}

async function startConsumers(
  flow: Flow,
  { queues }: Names,
  peers: Peers,
  arrivals: Arrivals,
  publishers: readonly Publisher[],
): Promise<void> {
  const numbered = queues.map((queue, at) => [queue, at] as const);
  const shares = flow.sharesConsumer === true ? [numbered] : numbered.map((one) => [one]);
  await Promise.all(
    shares.map((share, at) => {
      const publisher = publishers[at] ?? publishers[0]!;
      const { ackEvery, prefetch } = flow;
      const afterChunk = (): void => publisher.more();
      return consume(peers, { queues: new Map(share), ackEvery, prefetch, arrivals, afterChunk });
    }),
  );
}

/** One for each list of publishes; together they do not get too far ahead of the deliveries. */
async function publishersOf(
  flow: Flow,
  names: Names,
  peers: Peers,
  arrivals: Arrivals,
): Promise<Publisher[]> {
  const { copies } = flow.topology;
  const lists = flow.topology.publishes(names);
  const bytes = flow.bodyBytes + PUBLISH_OVERHEAD_BYTES;
  const ahead = Math.ceil(AHEAD_BYTES / bytes / lists.length / copies);
  // One publisher a queue sees only its own deliveries; a single one all of them.
  const delivered = (at: number): number =>
    lists.length === 1 ? arrivals.received / copies : arrivals.receivedIn(at);
  return Promise.all(
    lists.map(async (list, at) => {
      const cycle = new PublishCycle(
        list.map((publish) => ({ ...publish, properties: propertiesOf(flow, publish.stream) })),
        flow.bodyBytes,
      );
      return new Publisher(await peers.open(), cycle, {
        window: flow.confirmWindow,
        least: ahead / 8,
        room: () => ahead - cycle.published + delivered(at),
      });
    }),
  );
}

function propertiesOf(flow: Flow, stream: number): BasicProperties {
  const headers = flow.topology.headers?.(stream);
  return {
    ...(flow.persistent ? { deliveryMode: 2 } : {}),
    ...(headers === undefined ? {} : { headers }),
  };
}
