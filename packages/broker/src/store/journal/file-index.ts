import { crc32 } from 'node:zlib';
import type { Files } from '../disk/files.js';
import { readRange } from './journal-file.js';

/**
 * Where the messages of a full journal file are, so that a start need not read the file itself.
 * Losing an index costs time, nothing else.
 *
 * ```text
 *   0           8       12      16               24
 *   +-----------+-------+-------+----------------+------------------------------------------+
 *   | LVRTINDX  | seed  | crc   | count f64      | (chain f64, position f64, offset u32)…   |
 *   +-----------+-------+-------+----------------+------------------------------------------+
 * ```
 *
 * `seed` is the journal file's: an index of an earlier use of the number is not taken for this one.
 */
const MAGIC = Buffer.from('LVRTINDX', 'latin1');
const HEADER_BYTES = 24;
const ENTRY_BYTES = 20;
const CRC_OFFSET = 12;
const FIRST_ENTRIES = 1_024;

/** Gathers a file's index while the file is being written. */
export class FileIndexBuilder {
  #buffer: Buffer = Buffer.allocUnsafeSlow(HEADER_BYTES + FIRST_ENTRIES * ENTRY_BYTES);
  #length = HEADER_BYTES;

  add(chain: number, position: number, offset: number): void {
    const at = this.#length;
    if (at + ENTRY_BYTES > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(2 * this.#buffer.length);
      this.#buffer.copy(larger, 0, 0, at);
      this.#buffer = larger;
    }
    this.#buffer.writeDoubleBE(chain, at);
    this.#buffer.writeDoubleBE(position, at + 8);
    this.#buffer.writeUInt32BE(offset, at + 16);
    this.#length = at + ENTRY_BYTES;
  }

  /** The index as it is to be written. */
  finish(seed: number): Buffer {
    const bytes = this.#buffer.subarray(0, this.#length);
    MAGIC.copy(bytes, 0);
    bytes.writeUInt32BE(seed, 8);
    bytes.writeDoubleBE((this.#length - HEADER_BYTES) / ENTRY_BYTES, 16);
    bytes.writeUInt32BE(indexCrc(bytes), CRC_OFFSET);
    return bytes;
  }
}

/** Calls back for each message of a file: its chain, its position there, its offset in the file. */
export type VisitEntry = (chain: number, position: number, offset: number) => void;

/** An index that has been read and found whole. */
export interface FileIndex {
  forEach(visit: VisitEntry): void;
}

/** Name of a journal file's index. */
export function indexPath(journalPath: string): string {
  return `${journalPath}.index`;
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
  const end = HEADER_BYTES + bytes.readDoubleBE(16) * ENTRY_BYTES;
  if (end !== bytes.length || indexCrc(bytes) !== bytes.readUInt32BE(CRC_OFFSET)) return undefined;
  return {
    forEach: (visit) => {
      for (let at = HEADER_BYTES; at < end; at += ENTRY_BYTES) {
        const chain = bytes.readDoubleBE(at);
        visit(chain, bytes.readDoubleBE(at + 8), bytes.readUInt32BE(at + 16));
      }
    },
  };
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
