import { crc32 } from 'node:zlib';

/**
 * The bytes of a journal file; `DESIGN.md` draws the whole and says what a crash leaves. Numbers
 * are big-endian; `f64` is an IEEE double that holds a whole number, exact to 2^53.
 *
 * A file begins with its header, twice: the first is written before anything else, the second when
 * the file's snapshot is on the disk. A file without a second header was never begun.
 *
 * ```text
 * file header, 64 octets
 *   0         8         12       16      20      24          32      60      64
 *   +---------+---------+--------+-------+-------+-----------+-------+-------+
 *   | LVRTJRNL| version | number | seed  | epoch | first op  | zeros | crc   |
 *   +---------+---------+--------+-------+-------+-----------+-------+-------+
 *     8 octets  u32       u32      u32     u32     f64                 u32
 *
 * batch header, 64 octets, then the payload: operations, one behind the other
 *   0      4         8       12      16      20         28        36        44     56       60   64
 *   +------+---------+-------+-------+-------+----------+---------+---------+------+--------+-----+
 *   | LVRB | version | part. | epoch | count | first op | durable | payload | zeros| header | crc |
 *   +------+---------+-------+-------+-------+----------+---------+---------+------+--------+-----+
 *    magic   u32       u32     u32     u32     f64        f64       f64              crc u32  u32
 * ```
 *
 * `header crc` is of what is before it in the header: of octets that only look like a header nobody
 * believes how long the batch is, and reads so much for nothing.
 *
 * `seed` is random for each use of a file, and every checksum in the file starts from it: what an
 * earlier use left behind, or a peer wrote into a body, is not taken for a batch. `durable` is the
 * number of the first operation that was not yet durable when the batch was written: a bad batch
 * with a good one behind it that counts it as durable is damage, otherwise it is the torn end.
 */
export const FORMAT_VERSION = 1;
export const FILE_HEADER_BYTES = 64;
/** Where a file's second header stands, and where its batches begin. */
export const SECOND_HEADER_OFFSET = 64;
export const BATCHES_OFFSET = 128;
export const BATCH_HEADER_BYTES = 64;

const FILE_MAGIC = Buffer.from('LVRTJRNL', 'latin1');
export const BATCH_MAGIC = 0x4c565242;
const HEADER_CRC_OFFSET = 56;
const CRC_OFFSET = 60;

/** What a file says of itself. */
export interface FileHeader {
  readonly number: number;
  /** Start value of the checksums in the file. */
  readonly seed: number;
  /** Counts the broker's starts. */
  readonly epoch: number;
  readonly firstOperation: number;
}

/** What a batch says of itself. */
export interface BatchHeader {
  readonly epoch: number;
  readonly count: number;
  readonly firstOperation: number;
  readonly durable: number;
  readonly payloadBytes: number;
  readonly crc: number;
}

/** A journal that cannot be gone on from; `message` names the file, and where in it. */
export class DamagedJournalError extends Error {
  override name = 'DamagedJournalError';
}

/** A directory that holds something else. */
export class ForeignDirectoryError extends Error {
  override name = 'ForeignDirectoryError';
}

/** A journal of a version this program does not know. */
export class NewerFormatError extends Error {
  override name = 'NewerFormatError';
}

export function encodeFileHeader(header: FileHeader): Buffer {
  const bytes = Buffer.alloc(FILE_HEADER_BYTES);
  FILE_MAGIC.copy(bytes, 0);
  bytes.writeUInt32BE(FORMAT_VERSION, 8);
  bytes.writeUInt32BE(header.number, 12);
  bytes.writeUInt32BE(header.seed, 16);
  bytes.writeUInt32BE(header.epoch, 20);
  bytes.writeDoubleBE(header.firstOperation, 24);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, CRC_OFFSET)), CRC_OFFSET);
  return bytes;
}

/** Reads a file header; undefined if there is none. Throws {@link NewerFormatError}. */
export function decodeFileHeader(file: Buffer, at: number): FileHeader | undefined {
  const bytes = file.subarray(at, at + FILE_HEADER_BYTES);
  if (bytes.length < FILE_HEADER_BYTES) return undefined;
  if (!bytes.subarray(0, FILE_MAGIC.length).equals(FILE_MAGIC)) return undefined;
  if (crc32(bytes.subarray(0, CRC_OFFSET)) !== bytes.readUInt32BE(CRC_OFFSET)) return undefined;
  const version = bytes.readUInt32BE(8);
  if (version > FORMAT_VERSION) {
    throw new NewerFormatError(
      `it has format ${version}, and this version of Leveret reads up to ${FORMAT_VERSION}`,
    );
  }
  return {
    number: bytes.readUInt32BE(12),
    seed: bytes.readUInt32BE(16),
    epoch: bytes.readUInt32BE(20),
    firstOperation: bytes.readDoubleBE(24),
  };
}

/** Fills in the header of a batch whose payload stands behind it, checksum and all. */
export function sealBatch(
  batch: Buffer,
  header: Omit<BatchHeader, 'crc' | 'payloadBytes'>,
  seed: number,
): void {
  batch.fill(0, 0, BATCH_HEADER_BYTES);
  batch.writeUInt32BE(BATCH_MAGIC, 0);
  batch.writeUInt32BE(FORMAT_VERSION, 4);
  batch.writeUInt32BE(header.epoch, 12);
  batch.writeUInt32BE(header.count, 16);
  batch.writeDoubleBE(header.firstOperation, 20);
  batch.writeDoubleBE(header.durable, 28);
  batch.writeDoubleBE(batch.length - BATCH_HEADER_BYTES, 36);
  batch.writeUInt32BE(crc32(batch.subarray(0, HEADER_CRC_OFFSET), seed), HEADER_CRC_OFFSET);
  batch.writeUInt32BE(batchCrc(batch, seed), CRC_OFFSET);
}

/** Reads a batch header; undefined if there is none. The payload is {@link isWholeBatch}'s. */
export function decodeBatchHeader(
  bytes: Buffer,
  at: number,
  seed: number,
): BatchHeader | undefined {
  if (at + BATCH_HEADER_BYTES > bytes.length) return undefined;
  if (bytes.readUInt32BE(at) !== BATCH_MAGIC) return undefined;
  const headerCrc = crc32(bytes.subarray(at, at + HEADER_CRC_OFFSET), seed);
  if (headerCrc !== bytes.readUInt32BE(at + HEADER_CRC_OFFSET)) return undefined;
  const payloadBytes = bytes.readDoubleBE(at + 36);
  if (!Number.isSafeInteger(payloadBytes) || payloadBytes < 0) return undefined;
  return {
    epoch: bytes.readUInt32BE(at + 12),
    count: bytes.readUInt32BE(at + 16),
    firstOperation: bytes.readDoubleBE(at + 20),
    durable: bytes.readDoubleBE(at + 28),
    payloadBytes,
    crc: bytes.readUInt32BE(at + CRC_OFFSET),
  };
}

/** Whether a batch, header and payload, is as it was written. */
export function isWholeBatch(batch: Buffer, seed: number): boolean {
  return batchCrc(batch, seed) === batch.readUInt32BE(CRC_OFFSET);
}

function batchCrc(batch: Buffer, seed: number): number {
  return crc32(batch.subarray(BATCH_HEADER_BYTES), crc32(batch.subarray(0, CRC_OFFSET), seed));
}
