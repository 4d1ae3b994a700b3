import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isSystemError, StartError } from './start-error.js';

export interface DataDirectory {
  readonly path: string;
  /** Whether other users of the machine may read it, or more. */
  readonly openToOthers: boolean;
}

/**
 * Creates the data directory, for its owner alone (0700), and proves that it can be written by
 * writing. One that was there before keeps its mode: it may be more than a data directory.
 * Throws a StartError that names the directory and the reason.
 */
export function prepareDataDirectory(path: string): DataDirectory {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const probe = join(path, '.write-test');
    writeFileSync(probe, '');
    rmSync(probe);
    return { path, openToOthers: (statSync(path).mode & 0o077) !== 0 };
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new StartError(
      `cannot write to the data directory ${path}: ${wordsFor(error.code)}. ` +
        'Choose another with --data-dir.',
    );
  }
}

function wordsFor(code: string): string {
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'EEXIST':
    case 'ENOTDIR':
      return 'it, or a part of its path, is a file';
    case 'ENOSPC':
      return 'the disk is full';
    case 'EROFS':
      return 'the file system is read-only';
    default:
      return code;
  }
}
