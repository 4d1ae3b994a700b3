import type { DiskFile } from '../disk/files.js';
import type { SharedReads } from '../disk/shared-reads.js';
import type { Storable } from './chain.js';
import { type JournalFile, offsetOf, readRange } from './journal-file.js';
import { decodePublish, isWholePublish, publishBytes } from './operations.js';

/** How much is read at once unless it is said otherwise, in octets. */
const READ_BYTES = 524_288;

/** Makes a message of its stored bytes; filled by the protocols. */
export type DecodeMessage = (
  format: number,
  priority: number,
  buffer: Buffer,
  start: number,
  end: number,
) => Storable;

/** Makes a message of what lies at a location; undefined if it is not in the piece, or damaged. */
export type ReadMessage = (location: number) => Storable | undefined;

/**
 * Reads a piece of a journal file from a location on, so many octets of it or one message if that
 * is longer: as many messages as come with it. Undefined if not even the first can be read. Rejects
 * with Node's error.
 */
export async function readPiece(
  reads: SharedReads,
  file: JournalFile,
  location: number,
  decode: DecodeMessage,
  bytes: number = READ_BYTES,
): Promise<ReadMessage | undefined> {
  const start = offsetOf(location);
  const base = location - start;
  const piece = await reads.from(file.path, (disk) => readBytes(disk, file, start, bytes));
  const read: ReadMessage = (each) => {
    const at = each - base - start;
    if (at < 0 || at >= piece.length) return undefined;
    const length = publishBytes(piece, at, piece.length);
    if (length === undefined || at + length > piece.length) return undefined;
    if (!isWholePublish(piece, at, at + length, file.seed)) return undefined;
    const { format, priority, messageStart, messageEnd } = decodePublish(piece, at);
    return decode(format, priority, piece, messageStart, messageEnd);
  };
  const first = publishBytes(piece, 0, piece.length) ?? 0;
  const isThere = first <= piece.length && first > 0 && isWholePublish(piece, 0, first, file.seed);
  return isThere ? read : undefined;
}

async function readBytes(
  disk: DiskFile,
  file: JournalFile,
  start: number,
  least: number,
): Promise<Buffer> {
  const piece = await readRange(disk, start, Math.min(least, file.bytes - start));
  const bytes = publishBytes(piece, 0, piece.length) ?? 0;
  if (bytes <= piece.length || bytes > file.bytes - start) return piece;
  return await readRange(disk, start, bytes);
}
