import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** Clock ticks a second in /proc: fixed at 100 for user space on Linux. */
const TICKS_PER_SECOND = 100;

/** What a process costs, as Linux tells it; undefined figures where there is no /proc. */
export class ProcessCost {
  readonly pid: number;

  constructor(pid: number) {
    this.pid = pid;
  }

  /** Processor time used so far, of all its threads, in microseconds. */
  cpuMicroseconds(): number | undefined {
    const fields = statFields(this.pid);
    if (fields === undefined) return undefined;
    return ((Number(fields[11]) + Number(fields[12])) * 1e6) / TICKS_PER_SECOND;
  }

  /** Memory it holds, in MiB. */
  residentMebibytes(): number | undefined {
    return this.#statusMebibytes('VmRSS');
  }

  /** The most memory it has held since it began, or since {@link forgetPeak}, in MiB. */
  peakMebibytes(): number | undefined {
    return this.#statusMebibytes('VmHWM');
  }

  /** Lets the peak begin anew, where the kernel can. */
  forgetPeak(): void {
    try {
      // The 5 is the one for the peak: proc(5).
      writeFileSync(`/proc/${this.pid}/clear_refs`, '5');
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  #statusMebibytes(field: string): number | undefined {
    const status = readProc(`/proc/${this.pid}/status`);
    const kibibytes = new RegExp(`${field}:\\s+(\\d+)`).exec(status ?? '')?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) / 1024;
  }
}

/** The process `name` among `pid` and those it has started, and those they have. */
export function findDescendant(pid: number, name: string): number | undefined {
  const parents = new Map<number, { readonly parent: number; readonly name: string }>();
  for (const entry of readdirSync('/proc')) {
    const stat = /^\d+$/.test(entry) ? readProc(`/proc/${entry}/stat`) : undefined;
    if (stat === undefined) continue;
    const named = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    parents.set(Number(entry), { parent, name: named });
  }
  const descends = (of: number): boolean => {
    const one = parents.get(of);
    return of === pid || (one !== undefined && descends(one.parent));
  };
  return [...parents].find(([of, one]) => one.name === name && descends(of))?.[0];
}

/** The fields of /proc/PID/stat behind the process's name, which may hold blanks. */
function statFields(pid: number): string[] | undefined {
  const stat = readProc(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** A file of /proc; undefined when its process is gone, or the system has no /proc. */
function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ESRCH';
}
