import { fileURLToPath } from 'node:url';
import { Peers } from '../load/peers.js';
import { targetOf } from '../load/raw-peer.js';
import type { Setting } from '../rows/row.js';
import { ProcessCost } from './process-cost.js';
import { ReadyProcess } from './ready-process.js';

const BARE_SERVER = fileURLToPath(new URL('../load/bare-server.js', import.meta.url));

/** How long it is measured at most, in seconds. */
const SECONDS_MAX = 3;

/** Measures the same of a server that does nothing but answer, see `load/bare-server.ts`. */
export async function withBareServer<T>(
  setting: Setting,
  measure: (setting: Setting) => Promise<T>,
): Promise<T> {
  const started = await ReadyProcess.start([BARE_SERVER]);
  const { url, pid, startMilliseconds } = started;
  const stop = (): Promise<void> => started.end('SIGTERM');
  const process = new ProcessCost(pid);
  const broker = { url, process, startMilliseconds, directory: undefined, stop };
  const peers = new Peers(targetOf(url));
  try {
    const seconds = Math.min(setting.seconds, SECONDS_MAX);
    return await Promise.race([measure({ ...setting, broker, peers, seconds }), peers.failure]);
  } finally {
    peers.closeAll();
    await stop();
  }
}
