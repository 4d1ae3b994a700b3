import { closeSync, constants, fsyncSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** What the journal writes for a message besides its body, more or less. */
export const JOURNAL_OVERHEAD_BYTES = 130;

const FILE_BYTES = 67_108_864;
const PIECE_BYTES = 1_048_576;

/**
 * How many writes of so many octets a disk takes in a second, one after the other: each of them
 * synced (O_DSYNC), in order, through a file that was filled with zeros before. It is what a
 * broker that syncs before it confirms could do at best if it did nothing else.
 */
export function bareWritesPerSecond(directory: string, bytes: number, seconds: number): number {
  const path = join(directory, `bare-writes-${process.pid}`);
  fillWithZeros(path);
  const file = openSync(path, constants.O_WRONLY | constants.O_DSYNC);
  try {
    const batch = Buffer.alloc(bytes, 'x');
    const from = performance.now();
    let writes = 0;
    let at = 0;
    let elapsed = 0;
    for (; elapsed < seconds * 1_000; elapsed = performance.now() - from) {
      if (at + bytes > FILE_BYTES) at = 0;
      writeSync(file, batch, 0, bytes, at);
      at += bytes;
      writes++;
    }
    return writes / (elapsed / 1_000);
  } finally {
    closeSync(file);
    unlinkSync(path);
  }
}

function fillWithZeros(path: string): void {
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT);
  try {
    const zeros = Buffer.alloc(PIECE_BYTES);
    for (let at = 0; at < FILE_BYTES; at += PIECE_BYTES) writeSync(file, zeros, 0, PIECE_BYTES, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
