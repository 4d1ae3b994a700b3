import {
  BATCH_HEADER_BYTES,
  BATCHES_OFFSET,
  decodeFileHeader,
  type FileHeader,
  SECOND_HEADER_OFFSET,
} from '../journal-format.js';
import { SNAPSHOT } from '../operations.js';
import { batchesOf } from './batch-reader.js';

/** What a file begins with. */
export interface FileHead {
  readonly header: FileHeader;
  /** Whether its snapshot was on the disk when the file was gone on with. */
  readonly isBegun: boolean;
}

/** A file of a journal, read into memory. */
export interface FileContent extends FileHead {
  readonly path: string;
  readonly bytes: Buffer;
}

/**
 * Reads what a file begins with. It was never begun if there is nothing, or what there is belongs
 * to an earlier use.
 */
export function readHead(bytes: Buffer, number: number): FileHead | 'never begun' | 'damaged' {
  const first = decodeFileHeader(bytes, 0);
  const second = decodeFileHeader(bytes, SECOND_HEADER_OFFSET);
  // It has been given another name since, and the power went before that was on the disk.
  if (first !== undefined && first.number !== number) return 'never begun';
  const header = first ?? (second?.number === number ? second : undefined);
  if (header !== undefined) return { header, isBegun: second?.number === number };
  // Beginning it was interrupted in the first header: the second is still what it was before.
  const isBlank = bytes
    .subarray(SECOND_HEADER_OFFSET, BATCHES_OFFSET)
    .every((octet) => octet === 0);
  return second !== undefined || isBlank ? 'never begun' : 'damaged';
}

/** Whether a file's first batch is whole, and begins with a snapshot. */
export function beginsWithSnapshot({ bytes, header }: FileContent): boolean {
  const [first] = batchesOf(bytes, header, () => {});
  if (first?.start !== BATCHES_OFFSET + BATCH_HEADER_BYTES) return false;
  return bytes[first.start] === SNAPSHOT;
}
