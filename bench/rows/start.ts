import { setTimeout as delay } from 'node:timers/promises';
import type { Broker } from '../brokers/broker.js';
import { Peers } from '../load/peers.js';
import { targetOf } from '../load/raw-peer.js';
import type { Measurement, Row, Setting } from './row.js';

const CONNECTIONS = 1_000;
const OPENED_AT_ONCE = 25;
const SETTLE_MILLISECONDS = 1_000;

/** A new broker: how soon it is there, and what it holds before it has anything to do. */
export const START: Row = {
  name: 'a new broker',
  isOfItsOwnBroker: true,
  figures: [
    { name: 'start to accepting', unit: 'ms', better: 'lower' },
    { name: 'memory when idle', unit: 'MiB', better: 'lower' },
    { name: 'memory an idle connection', unit: 'KiB', better: 'lower' },
  ],
  measure: async ({ source }: Setting): Promise<Measurement | undefined> => {
    if (!source.startsItsOwn) return undefined;
    const broker = await source.start();
    try {
      return await measureIdle(broker);
    } finally {
      await broker.stop();
    }
  },
};

async function measureIdle(broker: Broker): Promise<Measurement> {
  await delay(SETTLE_MILLISECONDS);
  const idle = broker.process?.residentMebibytes() ?? Number.NaN;
  const peers = new Peers(targetOf(broker.url));
  try {
    for (let opened = 0; opened < CONNECTIONS; opened += OPENED_AT_ONCE) {
      const some = Array.from({ length: OPENED_AT_ONCE }, () => peers.open());
      await Promise.race([Promise.all(some), peers.failure]);
    }
    await delay(SETTLE_MILLISECONDS);
    const held = broker.process?.residentMebibytes() ?? Number.NaN;
    return { values: [broker.startMilliseconds, idle, ((held - idle) * 1024) / CONNECTIONS] };
  } finally {
    peers.closeAll();
  }
}
