import { backlogRow } from './backlog.js';
import { besideBareServer } from './beside-bare-server.js';
import { CHANNELS, CONNECTIONS, QUEUES } from './churn.js';
import { durableFlowRow, type Flow, flowRow } from './flow.js';
import { hopsRow } from './hops.js';
import { latencyRow } from './latency.js';
import type { Row } from './row.js';
import { rpcRow } from './rpc.js';
import { START } from './start.js';
import { fanout, headers, LANES, ROUND, topic } from './topologies.js';

const AUTO_ACK: Omit<Flow, 'name'> = {
  bodyBytes: 16,
  persistent: false,
  ackEvery: 0,
  prefetch: 0,
  confirmWindow: 0,
  queues: 1,
  topology: LANES,
};

const PERSISTENT = {
  ...AUTO_ACK,
  bodyBytes: 1_024,
  persistent: true,
  ackEvery: 50,
  prefetch: 1_000,
};

const FLOWS: readonly Flow[] = [
  { ...AUTO_ACK, name: '16 B, auto-ack' },
  { ...AUTO_ACK, name: '1 KiB, auto-ack', bodyBytes: 1_024 },
  { ...AUTO_ACK, name: '16 B, ack each, prefetch 100', ackEvery: 1, prefetch: 100 },
  { ...AUTO_ACK, name: '16 B, 10 publishers, queues and consumers', queues: 10 },
  { ...AUTO_ACK, name: '16 B, fanout to 10 queues', queues: 10, topology: fanout(10) },
  { ...AUTO_ACK, name: '16 B, topic, 1,000 bindings', queues: 10, topology: topic(1_000, 1_000) },
  { ...AUTO_ACK, name: '16 B, headers, 100 bindings', queues: 10, topology: headers(100) },
];

/** What must not cost more when there is more of it. */
const SCALES: readonly number[] = [100, 1_000, 10_000];

const SCALING: readonly Row[] = SCALES.flatMap((count) => {
  const number = count.toLocaleString('en');
  const queues = { queues: count, sharesConsumer: true, topology: ROUND } as const;
  const pointOf = (of: string, row: Row): Row => ({ ...row, point: { of, count } });
  const bindings = { queues: 10, topology: topic(count, 50_000) };
  return [
    pointOf('queues', flowRow({ ...AUTO_ACK, name: `16 B, ${number} queues`, ...queues })),
    pointOf(
      'topic bindings',
      flowRow({ ...AUTO_ACK, name: `16 B, ${number} topic bindings`, ...bindings }),
    ),
    pointOf('connections', hopsRow(`16 B, ${number} connections`, count)),
  ];
});

const DURABLE_FLOWS: readonly Flow[] = [
  { ...PERSISTENT, name: '1 KiB persistent, confirm window 100', confirmWindow: 100 },
  { ...PERSISTENT, name: '1 KiB persistent, confirm window 1,000', confirmWindow: 1_000 },
];

/** All there is to measure, in the order of the table. */
export const ROWS: readonly Row[] = [
  ...FLOWS.map(flowRow),
  ...DURABLE_FLOWS.map(durableFlowRow),
  besideBareServer(rpcRow(1)),
  besideBareServer(rpcRow(10)),
  latencyRow(false),
  latencyRow(true),
  CONNECTIONS,
  CHANNELS,
  QUEUES,
  START,
  ...SCALING,
  backlogRow('1,000,000 × 1 KiB persistent', 1_000_000, 1_024),
];
