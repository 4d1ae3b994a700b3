import { crc32 } from 'node:zlib';
import type { Returned } from '../message-store.js';

/**
 * What a journal's batches are made of. A *chain* is a queue's messages of one priority: the
 * queue's number × 256 + the priority's level.
 *
 * ```text
 * publish, 40 octets + 24 a placement + the extension + the message
 *   0      1       2      3        4            6           8          16     24           28
 *   +------+-------+------+--------+------------+-----------+----------+------+------------+
 *   | 1    | flags | prio.| format | placements | extension | zeros    | due  | body       |
 *   +------+-------+------+--------+------------+-----------+----------+------+------------+
 *   28        32     36       40
 *   +---------+------+--------+----------------------------+-----------+---------+
 *   | message | crc  | zeros  | placement…                 | extension | message |
 *   +---------+------+--------+----------------------------+-----------+---------+
 *     length    u32    u32
 *
 * placement    chain f64 | position f64 | expires f64
 *
 * remove     2 | chain f64 | from f64 | count u32
 * reserve    3 | chain f64 | positions below this may have been delivered f64
 * topology   4 | length u32 | JSON
 * chain      5 | chain f64 | next f64 | reserved f64 | ranges u32 | returned u32
 *              | (from f64, count u32)… | (position f64, returns u32)…
 * snapshot   6 | 0 begins, 1 ends
 * returns    7 | chain f64 | position f64 | returns u32
 * retry      8 | chain f64 | position f64 | returns u32 | until f64
 * ```
 *
 * `expires`, `until` and `due` are milliseconds of wall time, 0 for none; `body` is how many octets
 * of the message are its body; `extension` is room for what a later version wants to know without
 * reading the message. A publish has a checksum of its own, because it is read back alone; it
 * starts from the file's seed, and counts its own field as zeros.
 */
export const PUBLISH = 1;
export const REMOVE = 2;
export const RESERVE = 3;
export const TOPOLOGY = 4;
export const CHAIN = 5;
export const SNAPSHOT = 6;
export const RETURNS = 7;
export const RETRY = 8;

/** A publish's flag: written to make room in memory, for the broker that wrote it alone. */
export const TRANSIENT = 1;

export const PUBLISH_HEADER_BYTES = 40;
export const PLACEMENT_BYTES = 24;
export const REMOVE_BYTES = 21;
export const RESERVE_BYTES = 17;
export const TOPOLOGY_HEADER_BYTES = 5;
export const CHAIN_HEADER_BYTES = 33;
export const RANGE_BYTES = 12;
export const SNAPSHOT_BYTES = 2;
export const RETURNS_BYTES = 21;
export const RETRY_BYTES = 29;

/** Where in a publish stands how long the body is. */
export const BODY_BYTES_OFFSET = 24;
/** Where in it stands how long the message is as it is stored. */
export const STORED_BYTES_OFFSET = 28;
/** Where in it stand the message's priority, and what it is stored as. */
export const PRIORITY_OFFSET = 2;
export const FORMAT_OFFSET = 3;
const CRC_OFFSET = 32;

/** What an operation says, where it stands in a buffer. */
export type Operation =
  | PublishOperation
  | {
      readonly kind: 'remove';
      readonly chain: number;
      readonly from: number;
      readonly count: number;
    }
  | { readonly kind: 'reserve'; readonly chain: number; readonly below: number }
  | { readonly kind: 'topology'; readonly change: unknown }
  | {
      readonly kind: 'returns';
      readonly chain: number;
      readonly position: number;
      readonly returns: number;
      /** Wall time in milliseconds until which the message waits; 0 if it does not. */
      readonly retryAt: number;
    }
  | ChainOperation
  | { readonly kind: 'snapshot'; readonly ends: boolean };

/** Where a message lies, in which chains; the message itself is read alone. */
export interface PublishOperation {
  readonly kind: 'publish';
  readonly transient: boolean;
  /** Octets of the message's body. */
  readonly bodyBytes: number;
  readonly placements: readonly Placement[];
}

/** Where a message lies. */
export interface Placement {
  readonly chain: number;
  readonly position: number;
  /** Wall time in milliseconds; 0 for never. */
  readonly expiresAt: number;
}

/** What a snapshot knows of a chain. */
export interface ChainOperation {
  readonly kind: 'chain';
  readonly chain: number;
  readonly next: number;
  readonly reserved: number;
  readonly live: readonly LiveRange[];
  /** Messages that have come back, and how often: `count` times the one at `from`. */
  readonly returned: readonly LiveRange[];
}

/** Positions that hold a message: `count` of them from `from` on. */
export interface LiveRange {
  readonly from: number;
  readonly count: number;
}

/** Octets of a publish before its message. */
export function publishHeadBytes(placements: number): number {
  return PUBLISH_HEADER_BYTES + placements * PLACEMENT_BYTES;
}

/** Puts the checksum into a publish that is otherwise complete. */
export function sealPublish(buffer: Buffer, start: number, end: number, seed: number): void {
  buffer.writeUInt32BE(publishCrc(buffer, start, end, seed), start + CRC_OFFSET);
}

/**
 * Whether a publish is as it was written. The buffer has to be the caller's alone: the checksum's
 * own field is zero while it is looked at.
 */
export function isWholePublish(buffer: Buffer, start: number, end: number, seed: number): boolean {
  const crc = buffer.readUInt32BE(start + CRC_OFFSET);
  const isWhole = publishCrc(buffer, start, end, seed) === crc;
  buffer.writeUInt32BE(crc, start + CRC_OFFSET);
  return isWhole;
}

/** Checksum of a whole publish operation; leaves zeros in its place. */
function publishCrc(buffer: Buffer, start: number, end: number, seed: number): number {
  buffer.writeUInt32BE(0, start + CRC_OFFSET);
  return crc32(buffer.subarray(start, end), seed);
}

/** Octets of the publish operation at `at`; undefined if its header is not whole or it is none. */
export function publishBytes(buffer: Buffer, at: number, end: number): number | undefined {
  if (at + PUBLISH_HEADER_BYTES > end || buffer[at] !== PUBLISH) return undefined;
  const placements = buffer.readUInt16BE(at + 4);
  const extension = buffer.readUInt16BE(at + 6);
  return publishHeadBytes(placements) + extension + buffer.readUInt32BE(at + STORED_BYTES_OFFSET);
}

/** Where the message begins of the publish operation `[at, end)`, which is whole. */
export function messageStart(buffer: Buffer, at: number, end: number): number {
  return end - buffer.readUInt32BE(at + STORED_BYTES_OFFSET);
}

/** Reads the publish operation at `at`, which is whole. */
function decodePublish(buffer: Buffer, at: number): PublishOperation {
  const count = buffer.readUInt16BE(at + 4);
  const placements: Placement[] = [];
  for (let i = 0; i < count; i++) {
    const place = at + PUBLISH_HEADER_BYTES + i * PLACEMENT_BYTES;
    placements.push({
      chain: buffer.readDoubleBE(place),
      position: buffer.readDoubleBE(place + 8),
      expiresAt: buffer.readDoubleBE(place + 16),
    });
  }
  return {
    kind: 'publish',
    transient: (buffer[at + 1]! & TRANSIENT) !== 0,
    bodyBytes: buffer.readUInt32BE(at + BODY_BYTES_OFFSET),
    placements,
  };
}

/**
 * The operations of a batch's payload with their offsets; the batch's checksum has been checked.
 */
export function* decodeOperations(
  buffer: Buffer,
  start: number,
  end: number,
): Generator<readonly [operation: Operation, at: number]> {
  for (let at = start; at < end; ) {
    const operation = decodeOperation(buffer, at);
    yield [operation, at];
    at += operationBytes(buffer, at, end, operation);
  }
}

function decodeOperation(buffer: Buffer, at: number): Operation {
  switch (buffer[at]) {
    case PUBLISH:
      return decodePublish(buffer, at);
    case REMOVE:
      return {
        kind: 'remove',
        chain: buffer.readDoubleBE(at + 1),
        from: buffer.readDoubleBE(at + 9),
        count: buffer.readUInt32BE(at + 17),
      };
    case RESERVE:
      return {
        kind: 'reserve',
        chain: buffer.readDoubleBE(at + 1),
        below: buffer.readDoubleBE(at + 9),
      };
    case TOPOLOGY: {
      const start = at + TOPOLOGY_HEADER_BYTES;
      const json = buffer.toString('utf8', start, start + buffer.readUInt32BE(at + 1));
      return { kind: 'topology', change: JSON.parse(json) as unknown };
    }
    case CHAIN:
      return decodeChain(buffer, at);
    case RETURNS:
    case RETRY:
      return {
        kind: 'returns',
        chain: buffer.readDoubleBE(at + 1),
        position: buffer.readDoubleBE(at + 9),
        returns: buffer.readUInt32BE(at + 17),
        retryAt: buffer[at] === RETRY ? buffer.readDoubleBE(at + 21) : 0,
      };
    case SNAPSHOT:
      return { kind: 'snapshot', ends: buffer[at + 1] === 1 };
    default:
      throw new RangeError(`no operation has the number ${buffer[at]}`);
  }
}

function operationBytes(buffer: Buffer, at: number, end: number, operation: Operation): number {
  switch (operation.kind) {
    case 'publish':
      return publishBytes(buffer, at, end)!;
    case 'remove':
      return REMOVE_BYTES;
    case 'reserve':
      return RESERVE_BYTES;
    case 'topology':
      return TOPOLOGY_HEADER_BYTES + buffer.readUInt32BE(at + 1);
    case 'chain':
      return CHAIN_HEADER_BYTES + (operation.live.length + operation.returned.length) * RANGE_BYTES;
    case 'returns':
      return buffer[at] === RETRY ? RETRY_BYTES : RETURNS_BYTES;
    case 'snapshot':
      return SNAPSHOT_BYTES;
  }
}

function decodeChain(buffer: Buffer, at: number): ChainOperation {
  const live = buffer.readUInt32BE(at + 25);
  const returned = buffer.readUInt32BE(at + 29);
  const ranges = at + CHAIN_HEADER_BYTES;
  return {
    kind: 'chain',
    chain: buffer.readDoubleBE(at + 1),
    next: buffer.readDoubleBE(at + 9),
    reserved: buffer.readDoubleBE(at + 17),
    live: decodeRanges(buffer, ranges, live),
    returned: decodeRanges(buffer, ranges + live * RANGE_BYTES, returned),
  };
}

function decodeRanges(buffer: Buffer, at: number, count: number): LiveRange[] {
  return Array.from({ length: count }, (_, i) => ({
    from: buffer.readDoubleBE(at + i * RANGE_BYTES),
    count: buffer.readUInt32BE(at + i * RANGE_BYTES + 8),
  }));
}

/** Writes that a message has come back, at `at`; returns how many octets that took. */
export function encodeReturned(
  buffer: Buffer,
  at: number,
  chain: number,
  position: number,
  { returns, retryAt }: Returned,
): number {
  buffer[at] = retryAt > 0 ? RETRY : RETURNS;
  buffer.writeDoubleBE(chain, at + 1);
  buffer.writeDoubleBE(position, at + 9);
  buffer.writeUInt32BE(returns, at + 17);
  if (retryAt === 0) return RETURNS_BYTES;
  buffer.writeDoubleBE(retryAt, at + 21);
  return RETRY_BYTES;
}
