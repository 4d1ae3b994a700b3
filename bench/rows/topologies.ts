import { toFieldTable } from '@leveret/amqp';
import type { Names, Topology } from './flow.js';

/** Each queue with a publisher of its own, through the default exchange. */
export const LANES: Topology = {
  copies: 1,
  bind: () => Promise.resolve(),
  publishes: ({ queues }) =>
    queues.map((queue, stream) => [{ exchange: '', routingKey: queue, stream }]),
  streamOf: (queue) => queue,
};

/** Queues that one publisher fills in turn, through the default exchange. */
export const ROUND: Topology = {
  copies: 1,
  bind: () => Promise.resolve(),
  publishes: ({ queues }) => [
    queues.map((queue, stream) => ({ exchange: '', routingKey: queue, stream })),
  ],
  streamOf: (queue) => queue,
};

/** Every message to every queue. */
export function fanout(queues: number): Topology {
  return {
    copies: queues,
    exchangeType: 'fanout',
    bind: async (peer, names) => {
      const { exchange } = names;
      await peer.bindEach(names.queues.map((queue) => ({ queue, exchange, routingKey: '' })));
    },
    publishes: ({ exchange }) => [[{ exchange, routingKey: '', stream: 0 }]],
    streamOf: () => 0,
  };
}

/**
 * `bindings` binding keys `room.N.*.celsius` over all the queues, and messages with `keys`
 * different routing keys: more than a broker remembers the routes of, or not.
 */
export function topic(bindings: number, keys: number): Topology {
  const queueOf = (room: number, { queues }: Names): number => room % queues.length;
  return {
    copies: 1,
    exchangeType: 'topic',
    bind: async (peer, names) => {
      const all = Array.from({ length: bindings }, (_, room) => {
        const queue = names.queues[queueOf(room, names)]!;
        return { queue, exchange: names.exchange, routingKey: `room.${room}.*.celsius` };
      });
      await peer.bindEach(all);
    },
    publishes: (names) => [
      Array.from({ length: keys }, (_, key) => {
        const room = key % bindings;
        const routingKey = `room.${room}.${Math.floor(key / bindings)}.celsius`;
        return { exchange: names.exchange, routingKey, stream: queueOf(room, names) };
      }),
    ],
    streamOf: (queue) => queue,
  };
}

/** `bindings` of them, each asking for two headers; a message satisfies those of one queue. */
export function headers(bindings: number): Topology {
  return {
    copies: 1,
    exchangeType: 'headers',
    bind: async (peer, names) => {
      const all = Array.from({ length: bindings }, (_, at) => {
        const number = at % names.queues.length;
        const kind = number === at ? 'new' : `${at}`;
        const table = toFieldTable({ 'x-match': 'all', shard: `s${number}`, kind });
        return { queue: names.queues[number]!, exchange: names.exchange, routingKey: '', table };
      });
      await peer.bindEach(all);
    },
    publishes: ({ exchange, queues }) => [
      queues.map((_, stream) => ({ exchange, routingKey: '', stream })),
    ],
    headers: (stream) => toFieldTable({ shard: `s${stream}`, kind: 'new', from: 'bench' }),
    streamOf: (queue) => queue,
  };
}
