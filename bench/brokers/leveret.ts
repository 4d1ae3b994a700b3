import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrokerSource } from './broker.js';
import { ProcessCost } from './process-cost.js';
import { ReadyProcess } from './ready-process.js';

/** The launcher of this working tree. */
export const ownLauncher: string = createRequire(import.meta.url).resolve('leveret/bin/leveret.js');

export interface LeveretSettings {
  readonly name: string;
  /** Path of `leveret.js`. */
  readonly launcher: string;
  /** Node's own options, such as `--cpu-prof`. */
  readonly nodeOptions: readonly string[];
}

/** Leverets with a new data directory each, in a process of their own. */
export function leveret({ name, launcher, nodeOptions }: LeveretSettings): BrokerSource {
  return {
    name,
    startsItsOwn: true,
    start: async () => {
      const directory = await mkdtemp(join(tmpdir(), 'leveret-bench-'));
      const started = await startLeveret(launcher, directory, nodeOptions);
      return {
        url: started.url,
        process: new ProcessCost(started.pid),
        startMilliseconds: started.startMilliseconds,
        stop: async () => {
          await started.end('SIGTERM');
          await rm(directory, { recursive: true, force: true });
        },
      };
    },
  };
}

/** One Leveret that keeps its messages in `directory`. */
export function startLeveret(
  launcher: string,
  directory: string,
  nodeOptions: readonly string[] = [],
): Promise<ReadyProcess> {
  const options = ['--port', '0', '--data-dir', directory, '--log-level', 'error'];
  return ReadyProcess.start([...nodeOptions, launcher, ...options]);
}
