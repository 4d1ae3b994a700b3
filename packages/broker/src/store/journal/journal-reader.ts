import { BufferPool } from '../../base/buffer-pool.js';
import type { DiskFile, Files } from '../disk/files.js';
import { SharedReads } from '../disk/shared-reads.js';
import type { Storable } from './chain.js';
import { type JournalFile, offsetOf, readRange } from './journal-file.js';
import {
  FORMAT_OFFSET,
  isWholePublish,
  messageStart,
  PRIORITY_OFFSET,
  publishBytes,
} from './operations.js';

/** How much is read at once, at most and unless it is said otherwise, in octets. */
export const READ_BYTES = 524_288;
/** For how many pieces memory is kept. */
const PIECES_KEPT = 8;

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
 * Reads pieces of journal files. They are read into the same memory again and again: what is made
 * of a piece has bytes of its own.
 */
export class JournalReader {
  readonly #reads: SharedReads;
  readonly #decode: DecodeMessage;
  readonly #pool = new BufferPool(READ_BYTES, PIECES_KEPT);

  constructor(files: Files, decode: DecodeMessage) {
    this.#reads = new SharedReads(files);
    this.#decode = decode;
  }

  /**
   * Reads a piece from a location on, so many octets of it, at most {@link READ_BYTES}, or one
   * message if that is longer: as many messages as come with it. `use` gets a function that is good
   * until it returns; undefined if not even the first can be read. Rejects with Node's error.
   */
  async read(
    file: JournalFile,
    location: number,
    use: (read: ReadMessage | undefined) => void,
    bytes: number = READ_BYTES,
  ): Promise<void> {
    const start = offsetOf(location);
    const buffer = this.#pool.take();
    try {
      const piece = await this.#reads.from(file.path, (disk) =>
        readInto(buffer, disk, file, start, bytes),
      );
      use(this.#isWhole(piece, file) ? this.#readerOf(piece, file, location) : undefined);
    } finally {
      this.#pool.giveBack(buffer);
    }
  }

  /** A file is being given up. Rejects with Node's error. */
  async forget(file: JournalFile): Promise<void> {
    await this.#reads.forget(file.path);
  }

  /** Lets go of the files. */
  async close(): Promise<void> {
    await this.#reads.close();
  }

  /** Whether the first message of a piece is all there, and as it was written. */
  #isWhole(piece: Buffer, { seed }: JournalFile): boolean {
    const bytes = publishBytes(piece, 0, piece.length) ?? 0;
    return bytes > 0 && bytes <= piece.length && isWholePublish(piece, 0, bytes, seed);
  }

  #readerOf(piece: Buffer, { seed }: JournalFile, start: number): ReadMessage {
    return (location) => {
      const at = location - start;
      if (at < 0 || at >= piece.length) return undefined;
      const bytes = publishBytes(piece, at, piece.length);
      if (bytes === undefined || at + bytes > piece.length) return undefined;
      const end = at + bytes;
      if (!isWholePublish(piece, at, end, seed)) return undefined;
      const format = piece[at + FORMAT_OFFSET]!;
      const priority = piece[at + PRIORITY_OFFSET]!;
      return this.#decode(format, priority, piece, messageStart(piece, at, end), end);
    };
  }
}

/** Reads into `buffer`, or into memory of its own a message that is longer. */
async function readInto(
  buffer: Buffer,
  disk: DiskFile,
  file: JournalFile,
  start: number,
  wanted: number,
): Promise<Buffer> {
  const most = file.bytes - start;
  const read = await disk.read(buffer, Math.min(wanted, buffer.length, most), start);
  const piece = buffer.subarray(0, read);
  const bytes = publishBytes(piece, 0, piece.length) ?? 0;
  return bytes <= piece.length || bytes > most ? piece : await readRange(disk, start, bytes);
}
