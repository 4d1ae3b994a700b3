import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Broker, BrokerSource } from './broker.js';
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
export function leveret(settings: LeveretSettings): BrokerSource {
  return {
    name: settings.name,
    startsItsOwn: true,
    start: async () => run(settings, await mkdtemp(join(tmpdir(), 'leveret-bench-'))),
  };
}

/** A Leveret that keeps its messages in `directory`, which goes when it is stopped. */
async function run(settings: LeveretSettings, directory: string): Promise<Broker> {
  const { launcher, nodeOptions } = settings;
  const options = ['--port', '0', '--data-dir', directory, '--log-level', 'error'];
  const started = await ReadyProcess.start([...nodeOptions, launcher, ...options]);
  return {
    url: started.url,
    process: new ProcessCost(started.pid),
    startMilliseconds: started.startMilliseconds,
    directory,
    crash: async () => {
      await started.end('SIGKILL');
      return run(settings, directory);
    },
    stop: async () => {
      await started.end('SIGTERM');
      await rm(directory, { recursive: true, force: true });
    },
  };
}
