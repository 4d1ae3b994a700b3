import {
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  BATCHES_OFFSET,
  type BatchHeader,
  decodeBatchHeader,
  type FileHeader,
  isWholeBatch,
} from '../journal-format.js';

/** A batch that is as it was written: its payload is `[start, end)`. */
export interface WholeBatch {
  readonly header: BatchHeader;
  readonly start: number;
  readonly end: number;
}

/** What was found instead of a batch, and at what offset: the torn end, or damage before it. */
export type ReportProblem = (problem: 'cut-off' | 'damage', at: number) => void;

/**
 * The batches of a file, in order. Where one is bad, it depends on what comes behind it: a batch
 * that says that the bad one was durable proves damage, which is reported and passed over;
 * otherwise this is where writing stopped, and what is left of the last batch is reported if there
 * is any.
 */
export function* batchesOf(
  file: Buffer,
  { seed, epoch }: FileHeader,
  report: ReportProblem,
): Generator<WholeBatch> {
  let at = BATCHES_OFFSET;
  let operations = -1;
  for (;;) {
    const batch = wholeBatchAt(file, at, seed, epoch);
    if (batch !== undefined) {
      yield batch;
      at = batch.end;
      operations = batch.header.firstOperation + batch.header.count;
      continue;
    }
    const later = nextWholeBatch(file, at + 1, seed, epoch);
    if (later === undefined || later.header.durable <= operations) {
      if (resemblesBatch(file, at, epoch, operations)) report('cut-off', at);
      return;
    }
    report('damage', at);
    at = later.start - BATCH_HEADER_BYTES;
  }
}

function wholeBatchAt(
  file: Buffer,
  at: number,
  seed: number,
  epoch: number,
): WholeBatch | undefined {
  const header = decodeBatchHeader(file, at, seed);
  if (header === undefined || header.epoch !== epoch) return undefined;
  const start = at + BATCH_HEADER_BYTES;
  const end = start + header.payloadBytes;
  if (end > file.length) return undefined;
  return isWholeBatch(file.subarray(at, end), seed) ? { header, start, end } : undefined;
}

function nextWholeBatch(
  file: Buffer,
  from: number,
  seed: number,
  epoch: number,
): WholeBatch | undefined {
  const magic = Buffer.alloc(4);
  magic.writeUInt32BE(BATCH_MAGIC);
  for (let at = file.indexOf(magic, from); at >= 0; at = file.indexOf(magic, at + 1)) {
    const batch = wholeBatchAt(file, at, seed, epoch);
    if (batch !== undefined) return batch;
  }
  return undefined;
}

/**
 * Whether there is what may have been the next batch. An earlier use's is none, whose operations
 * have lower numbers.
 */
function resemblesBatch(file: Buffer, at: number, epoch: number, operations: number): boolean {
  if (at + BATCH_HEADER_BYTES > file.length) return false;
  const { magic, of, first, durable } = {
    magic: file.readUInt32BE(at),
    of: file.readUInt32BE(at + 12),
    first: file.readDoubleBE(at + 20),
    durable: file.readDoubleBE(at + 28),
  };
  const isOurs = magic === BATCH_MAGIC || of === epoch;
  return isOurs && (first === operations || durable === operations);
}
