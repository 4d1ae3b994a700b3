import { fileURLToPath } from 'node:url';
import { ProcessCost } from '../brokers/process-cost.js';
import { ReadyProcess } from '../brokers/ready-process.js';
import { Peers } from '../load/peers.js';
import { targetOf } from '../load/raw-peer.js';
import type { Measurement, Row, Setting } from './row.js';

const BARE_SERVER = fileURLToPath(new URL('../load/bare-server.js', import.meta.url));

/** How long it is measured at most, in seconds. */
const SECONDS_MAX = 3;

/**
 * A row that says how often something is done in a second, held against what Node.js does here when
 * nothing but the same reads and writes is asked of it (`load/bare-server.ts`). Only of a broker
 * that is known to be ours: of others it would say nothing.
 */
export function besideBareServer(row: Row): Row {
  return {
    ...row,
    figures: [...row.figures, { name: 'of a bare Node.js server', unit: '%', better: 'higher' }],
    measure: async (setting) => {
      const measured = await row.measure(setting);
      if (measured === undefined || setting.broker.directory === undefined) return measured;
      const bare = await measureBareServer(row, setting);
      const [rate = Number.NaN] = measured.values;
      return { ...measured, values: [rate, (100 * rate) / (bare?.values[0] ?? Number.NaN)] };
    },
  };
}

async function measureBareServer(row: Row, setting: Setting): Promise<Measurement | undefined> {
  const started = await ReadyProcess.start([BARE_SERVER]);
  const { url, pid, startMilliseconds } = started;
  const stop = (): Promise<void> => started.end('SIGTERM');
  const process = new ProcessCost(pid);
  const broker = { url, process, startMilliseconds, directory: undefined, stop };
  const peers = new Peers(targetOf(url));
  const seconds = Math.min(setting.seconds, SECONDS_MAX);
  try {
    const measured = row.measure({ ...setting, broker, peers, seconds });
    return await Promise.race([measured, peers.failure]);
  } finally {
    peers.closeAll();
    await stop();
  }
}
