import { readFileSync } from 'node:fs';

/**
 * How many files and sockets this process may have open: Node.js has raised that to the most that
 * it may be raised to. 0 where the system does not say, or sets no limit.
 */
export function openFilesMax(path: string = '/proc/self/limits'): number {
  try {
    const limits = readFileSync(path, 'latin1');
    return Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? 0);
  } catch {
    // Only Linux has that file.
    return 0;
  }
}
