import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** Runs until whoever has started it is gone, however that came about. */
const IDLER = `
  const parent = process.ppid;
  for (let i = 0; i % 1e8 !== 0 || process.ppid === parent; i++);
`;

/**
 * Keeps every processor awake, with a process each that has nothing to do and gives way to all
 * others (`chrt --idle`, which Linux has). On a virtual machine a processor that has gone idle
 * takes 50 µs and more to come back, and where two processes wait for each other's answers that is
 * all that is measured. Returns what ends it.
 */
export function keepAwake(): () => void {
  const idlers = Array.from({ length: availableParallelism() }, () => {
    return spawn('chrt', ['--idle', '0', process.execPath, '--eval', IDLER], { stdio: 'ignore' });
  });
  return () => {
    for (const idler of idlers) idler.kill('SIGKILL');
  };
}
