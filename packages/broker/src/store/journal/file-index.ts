import { crc32 } from 'node:zlib';
import type { Files } from '../disk/files.js';
import { readRange } from './journal-file.js';

/**
 * Where the messages of a full journal file are, so that a start need not read the file itself.
 * Losing an index costs time, nothing else.
 *
 * ```text
 *   0           8       12      16
 *   +-----------+-------+-------+--------------------------------------------------------+
 *   | LVRTIND2  | seed  | crc   | run…                                                   |
 *   +-----------+-------+-------+--------------------------------------------------------+
 *   run:   chain f64 | first position f64 | count u32 | expires u8 | entry…
 *   entry: offset u32 | body u32, and if the run expires, wall time in milliseconds f64
 * ```
 *
 * A run is a row of neighbouring positions of one chain: of a long queue a message takes eight
 * octets. `body` is how long its body is. `seed` is the journal file's: an index of an earlier use
 * of the number is not taken for this one.
 */
const MAGIC = Buffer.from('LVRTIND2', 'latin1');
const HEADER_BYTES = 16;
const RUN_BYTES = 21;
const CRC_OFFSET = 12;
const ENTRY_BYTES = 8;
const EXPIRING_ENTRY_BYTES = 16;
const FIRST_BYTES = 16_384;

/** Gathers a file's index while the file is being written. */
export class FileIndexBuilder {
  #buffer: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #length = HEADER_BYTES;
  /** Where the run stands that is being added to. */
  #run = 0;
  #chain = -1;
  #next = -1;
  #count = 0;
  #expires = false;

  /** As {@link VisitEntry} says. */
  add(chain: number, position: number, offset: number, bodyBytes: number, expiresAt: number): void {
    const expires = expiresAt !== 0;
    if (chain !== this.#chain || position !== this.#next || expires !== this.#expires) {
      this.#beginRun(chain, position, expires);
    }
    const at = this.#reserve(expires ? EXPIRING_ENTRY_BYTES : ENTRY_BYTES);
    this.#buffer.writeUInt32BE(offset, at);
    this.#buffer.writeUInt32BE(bodyBytes, at + 4);
    if (expires) this.#buffer.writeDoubleBE(expiresAt, at + ENTRY_BYTES);
    this.#count++;
    this.#next = position + 1;
    this.#buffer.writeUInt32BE(this.#count, this.#run + 16);
  }

  /** The index as it is to be written. */
  finish(seed: number): Buffer {
    const bytes = this.#buffer.subarray(0, this.#length);
    MAGIC.copy(bytes, 0);
    bytes.writeUInt32BE(seed, 8);
    bytes.writeUInt32BE(indexCrc(bytes), CRC_OFFSET);
    return bytes;
  }

  #beginRun(chain: number, position: number, expires: boolean): void {
    this.#run = this.#reserve(RUN_BYTES);
    this.#buffer.writeDoubleBE(chain, this.#run);
    this.#buffer.writeDoubleBE(position, this.#run + 8);
    this.#buffer[this.#run + 20] = expires ? 1 : 0;
    this.#chain = chain;
    this.#expires = expires;
    this.#count = 0;
  }

  #reserve(bytes: number): number {
    const at = this.#length;
    if (at + bytes > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(2 * this.#buffer.length);
      this.#buffer.copy(larger, 0, 0, at);
      this.#buffer = larger;
    }
    this.#length = at + bytes;
    return at;
  }
}

/**
 * Called for each message of a file: `offset` is where in the file it is, `bodyBytes` how long its
 * body, `expiresAt` when it expires in milliseconds of wall time, 0 for never. There may be
 * millions: no object is made for them.
 */
export type VisitEntry = (
  chain: number,
  position: number,
  offset: number,
  bodyBytes: number,
  expiresAt: number,
) => void;

/** An index that has been read and found whole. */
export interface FileIndex {
  /** Visits the messages from one on, up to another; returns whether there are more. */
  forEach(visit: VisitEntry, first?: number, end?: number): boolean;
}

/** Name of a journal file's index. */
export function indexPath(journalPath: string): string {
  return `${journalPath}.index`;
}

/** Writes a file's index beside it, instead of one that is damaged. Rejects with Node's error. */
export async function writeFileIndex(
  files: Files,
  journalPath: string,
  bytes: Buffer,
): Promise<void> {
  const path = indexPath(journalPath);
  if ((await readIfThere(files, path)) !== undefined) await files.remove(path);
  const disk = await files.open(path, { create: true, durableWrites: false });
  try {
    await disk.write(bytes, 0);
  } finally {
    await disk.close();
  }
}

/** Whether a file of that name is an index. */
export function isIndexName(name: string): boolean {
  return name.endsWith('.index');
}

/** Reads a file's index; undefined if there is none, or it is damaged or of another use. */
export async function readFileIndex(
  files: Files,
  journalPath: string,
  seed: number,
): Promise<FileIndex | undefined> {
  const bytes = await readIfThere(files, indexPath(journalPath));
  if (bytes === undefined || bytes.length < HEADER_BYTES) return undefined;
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  if (bytes.readUInt32BE(8) !== seed) return undefined;
  if (indexCrc(bytes) !== bytes.readUInt32BE(CRC_OFFSET)) return undefined;
  return {
    forEach: (visit, first = 0, end = Number.POSITIVE_INFINITY) =>
      forEachEntry(bytes, visit, first, end),
  };
}

function forEachEntry(bytes: Buffer, visit: VisitEntry, first: number, end: number): boolean {
  let number = 0;
  let at = HEADER_BYTES;
  while (at < bytes.length && number < end) {
    const chain = bytes.readDoubleBE(at);
    const position = bytes.readDoubleBE(at + 8);
    const count = bytes.readUInt32BE(at + 16);
    const expires = bytes[at + 20] === 1;
    const entryBytes = expires ? EXPIRING_ENTRY_BYTES : ENTRY_BYTES;
    at += RUN_BYTES;
    for (let i = Math.max(0, first - number); i < count && number + i < end; i++) {
      const entry = at + i * entryBytes;
      const expiresAt = expires ? bytes.readDoubleBE(entry + ENTRY_BYTES) : 0;
      const offset = bytes.readUInt32BE(entry);
      visit(chain, position + i, offset, bytes.readUInt32BE(entry + 4), expiresAt);
    }
    at += count * entryBytes;
    number += count;
  }
  return number > end || at < bytes.length;
}

async function readIfThere(files: Files, path: string): Promise<Buffer | undefined> {
  try {
    const file = await files.open(path, { create: false, durableWrites: false });
    try {
      return await readRange(file, 0, await file.size());
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function indexCrc(bytes: Buffer): number {
  return crc32(bytes.subarray(CRC_OFFSET + 4), crc32(bytes.subarray(0, CRC_OFFSET)));
}
