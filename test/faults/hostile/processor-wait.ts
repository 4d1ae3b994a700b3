import { readFileSync } from 'node:fs';

/** How long a process has waited for a processor while it had something to do, in milliseconds. */
export function processorWait(pid: number): number {
  // Time run and time waited, in nanoseconds, of the thread that runs JavaScript.
  const [, waited = '0'] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ');
  return Number(waited) / 1_000_000;
}
