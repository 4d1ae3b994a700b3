import { cpus, loadavg, release, totalmem } from 'node:os';

/** What figures were taken on, and what else it had to do. */
export interface Machine {
  readonly node: string;
  readonly linux: string;
  readonly processors: readonly string[];
  readonly memoryBytes: number;
  /** Over the last 1, 5 and 15 minutes; the benchmark itself makes for 2 or so. */
  readonly loadAverages: readonly number[];
}

export function machine(): Machine {
  return {
    node: process.version,
    linux: release(),
    processors: cpus().map(({ model }) => model),
    memoryBytes: totalmem(),
    loadAverages: loadavg(),
  };
}
