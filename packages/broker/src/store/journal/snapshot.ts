import type { Chain } from './chain.js';
import {
  CHAIN,
  CHAIN_HEADER_BYTES,
  encodeReturned,
  RANGE_BYTES,
  RETRY_BYTES,
  SNAPSHOT,
  SNAPSHOT_BYTES,
  TOPOLOGY,
  TOPOLOGY_HEADER_BYTES,
} from './operations.js';

/** The state a new file begins with, and how many operations that counts in. */
export interface Snapshot {
  readonly payload: Buffer;
  readonly operations: number;
}

/**
 * What a journal file begins with: everything the files before it say, but for the messages
 * themselves. Reading a journal therefore begins with the last file, and needs the others only for
 * the messages in them.
 *
 * `topology` are the changes that make the topology what it is, from nothing.
 */
export function encodeSnapshot(topology: readonly unknown[], stores: Iterable<Chain>): Buffer {
  const pieces: Buffer[] = [edge(0)];
  for (const change of topology) pieces.push(encodeTopology(change));
  for (const store of stores) if (store.durable) pieces.push(encodeChain(store));
  pieces.push(edge(1));
  return Buffer.concat(pieces);
}

function edge(ends: 0 | 1): Buffer {
  const bytes = Buffer.alloc(SNAPSHOT_BYTES);
  bytes[0] = SNAPSHOT;
  bytes[1] = ends;
  return bytes;
}

function encodeTopology(change: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(change), 'utf8');
  const head = Buffer.alloc(TOPOLOGY_HEADER_BYTES);
  head[0] = TOPOLOGY;
  head.writeUInt32BE(json.length, 1);
  return Buffer.concat([head, json]);
}

function encodeChain(store: Chain): Buffer {
  let ranges = 0;
  store.locations.forEachSurvivingRange(() => ranges++);
  const waiting = [...store.returned].filter(([, { retryAt }]) => retryAt > 0);
  const entries = ranges + store.returned.size;
  const chainBytes = CHAIN_HEADER_BYTES + entries * RANGE_BYTES;
  const bytes = Buffer.alloc(chainBytes + waiting.length * RETRY_BYTES);
  bytes[0] = CHAIN;
  bytes.writeDoubleBE(store.chain, 1);
  bytes.writeDoubleBE(store.next, 9);
  bytes.writeDoubleBE(store.reserved, 17);
  bytes.writeUInt32BE(ranges, 25);
  bytes.writeUInt32BE(store.returned.size, 29);
  let at = CHAIN_HEADER_BYTES;
  const write = (from: number, count: number): void => {
    bytes.writeDoubleBE(from, at);
    bytes.writeUInt32BE(count, at + 8);
    at += RANGE_BYTES;
  };
  store.locations.forEachSurvivingRange(write);
  for (const [position, { returns }] of store.returned) write(position, returns);
  for (const [position, returned] of waiting) {
    at += encodeReturned(bytes, at, store.chain, position, returned);
  }
  return bytes;
}
