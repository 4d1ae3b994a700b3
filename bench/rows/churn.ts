import type { RawPeer } from '../load/raw-peer.js';
import { besideBareServer } from './beside-bare-server.js';
import { type Measurement, type Row, rateOf, type Setting } from './row.js';

/**
 * Does a thing over and over, so many clients at the same time, each one thing after the other.
 * `prepare` makes what one of them needs.
 */
function churnRow(
  name: string,
  clients: number,
  prepare: (setting: Setting, at: number) => Promise<() => Promise<void>>,
): Row {
  return {
    name,
    figures: [{ name: '', unit: '1/s', better: 'higher' }],
    measure: (setting) => measureChurn(setting, clients, prepare),
  };
}

async function measureChurn(
  setting: Setting,
  clients: number,
  prepare: (setting: Setting, at: number) => Promise<() => Promise<void>>,
): Promise<Measurement> {
  let count = 0;
  let isStopped = false;
  const repeat = async (once: () => Promise<void>): Promise<void> => {
    while (!isStopped) {
      await once();
      count++;
    }
  };
  const actions = await Promise.all(
    Array.from({ length: clients }, (_, at) => prepare(setting, at)),
  );
  const running = Promise.all(actions.map(repeat));
  const rate = await Promise.race([rateOf(setting, () => count), running.then(neverEnds)]);
  isStopped = true;
  await running;
  return { values: [rate.perSecond], ...rate.costs };
}

function neverEnds(): never {
  throw new Error('ended before it was told to');
}

export const CONNECTIONS: Row = besideBareServer(
  churnRow('connections opened and closed, 4 clients', 4, ({ peers }) =>
    Promise.resolve(async () => {
      const peer = await peers.open();
      await peer.closePolitely();
      peers.close(peer);
    }),
  ),
);

export const CHANNELS: Row = churnRow(
  'channels opened and closed, 1 client',
  1,
  async ({ peers }) => {
    const peer = await peers.open();
    const closing = { replyCode: 200, replyText: '', classId: 0, methodId: 0 };
    return async () => {
      peer.send(2, 'channel.open', { outOfBand: '' });
      await peer.expect('channel.open-ok');
      peer.send(2, 'channel.close', closing);
      await peer.expect('channel.close-ok');
    };
  },
);

export const QUEUES: Row = churnRow(
  'queues declared, bound and deleted, 1 client',
  1,
  async ({ peers, id }, at) => {
    const peer: RawPeer = await peers.open();
    let number = 0;
    return async () => {
      const queue = `bench-${id}-${at}-${number++}`;
      await peer.declareQueue(queue);
      await peer.bind(queue, 'amq.direct', queue);
      await peer.deleteQueue(queue);
    };
  },
);
