import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
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
    makeDirectory(path);
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

/**
 * Makes a directory and those above it. Node's own `recursive` tries for ever where a directory is
 * there but lets nothing be made in it, as `/proc` is.
 */
function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeDirectory(parent);
  mkdirSync(path, 0o700);
}

function wordsFor(code: string): string {
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'EEXIST':
    case 'ENOTDIR':
      return 'it, or a part of its path, is a file';
    case 'ENOENT':
      return 'it cannot be made there';
    case 'ENOSPC':
      return 'the disk is full';
    case 'EROFS':
      return 'the file system is read-only';
    default:
      return code;
  }
}
