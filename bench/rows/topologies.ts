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

/** Every message to every queue. */
export function fanout(queues: number): Topology {
  return {
    copies: queues,
    exchangeType: 'fanout',
    bind: async (peer, names) => {
      for (const queue of names.queues) await peer.bind(queue, names.exchange, '');
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
      for (let room = 0; room < bindings; room++) {
        const queue = names.queues[queueOf(room, names)]!;
        await peer.bind(queue, names.exchange, `room.${room}.*.celsius`);
      }
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
      for (let at = 0; at < bindings; at++) {
        const queue = at % names.queues.length;
        const asked = {
          'x-match': 'all',
          shard: `s${queue}`,
          kind: queue === at ? 'new' : `${at}`,
        };
        await peer.bind(names.queues[queue]!, names.exchange, '', toFieldTable(asked));
      }
    },
    publishes: ({ exchange, queues }) => [
      queues.map((_, stream) => ({ exchange, routingKey: '', stream })),
    ],
    headers: (stream) => toFieldTable({ shard: `s${stream}`, kind: 'new', from: 'bench' }),
    streamOf: (queue) => queue,
  };
}
