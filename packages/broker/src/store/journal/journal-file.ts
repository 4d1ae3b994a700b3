import { isClaimName } from '../disk/directory-lock.js';
import type { DiskFile } from '../disk/files.js';

/** How a journal keeps its files. */
export interface JournalOptions {
  readonly directory: string;
  /** Size at which a file is full, in octets. */
  readonly fileBytes: number;
  readonly sync: SyncPolicy;
}

/**
 * When what has been written is put on the disk itself, out of the operating system's memory. The
 * broker's own end, `kill -9` included, loses nothing under any of them; a power failure does:
 *
 * - `always`: before it is confirmed. Nothing confirmed is lost.
 * - milliseconds: so often. What was confirmed in the last such time may be lost.
 * - `never`: when the operating system gets round to it, often half a minute. All of that may be
 * lost.
 */
export type SyncPolicy = 'always' | 'never' | { readonly milliseconds: number };

/** A file of the journal, and how much of what it holds is still needed. */
export interface JournalFile {
  /** Counts the files there have been. */
  readonly number: number;
  /** Stands for the file in locations; given to another file when this one is gone. */
  readonly slot: number;
  readonly path: string;
  /** Start value of its checksums. */
  readonly seed: number;
  /** Octets that are taken, and how many of them have been written. */
  bytes: number;
  written: number;
  /** Whether all of it is on the disk; of the current one, up to when it was last synced. */
  isSynced: boolean;
  /** Damage has been found in it: it has another name too, and its octets are not to be changed. */
  isSetAside: boolean;
  /** Messages placed in it, and those of them that are alive and not copied elsewhere. */
  placed: number;
  live: number;
}

/** A file of which nothing is alive yet, as far as is known. */
export function newJournalFile(
  known: Pick<JournalFile, 'number' | 'slot' | 'path' | 'seed' | 'bytes' | 'written'>,
): JournalFile {
  return { ...known, isSynced: false, isSetAside: false, placed: 0, live: 0 };
}

/** Room for offsets in a location: a file is shorter than 4 GiB. */
const OFFSETS = 0x1_0000_0000;
/** Slots there are: a location is exact up to 2^53. */
export const SLOTS_MAX = 0x1f_ffff;

/** Where something is: which file, and at what offset, in one number above 0. */
export function locationOf(slot: number, offset: number): number {
  return slot * OFFSETS + offset;
}

export function slotOf(location: number): number {
  return Math.floor(location / OFFSETS);
}

export function offsetOf(location: number): number {
  return location % OFFSETS;
}

/** Names of journal files; the number sorts as text. */
export function journalFileName(number: number): string {
  return `journal-${String(number).padStart(8, '0')}`;
}

/** The number in a journal file's name; undefined if it is no such name. */
export function journalFileNumber(name: string): number | undefined {
  const digits = /^journal-(\d{8,})$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** The file that is filled with zeros, to be the next one. */
export const SPARE_NAME = 'journal-spare';

/** Says that something has been kept here: a start that finds nothing must not go on. */
export const BEGUN_NAME = 'journal-begun';

/** Whether a file of that name may lie in a data directory. */
export function isOurs(name: string): boolean {
  return isClaimName(name) || name === 'lost+found' || name.startsWith('journal-');
}

/** Reads a whole file, or what there is of a range of it. */
export async function readRange(file: DiskFile, offset: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(bytes);
  const read = await file.read(buffer, bytes, offset);
  return read === bytes ? buffer : buffer.subarray(0, read);
}
