import { survives } from '../location-table.js';
import type { Chain } from './chain.js';
import {
  CHAIN,
  CHAIN_HEADER_BYTES,
  type LiveRange,
  RANGE_BYTES,
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
  const live = liveRanges(store);
  const returned = [...store.returns].map(([from, count]) => ({ from, count }));
  const ranges = [...live, ...returned];
  const bytes = Buffer.alloc(CHAIN_HEADER_BYTES + ranges.length * RANGE_BYTES);
  bytes[0] = CHAIN;
  bytes.writeDoubleBE(store.chain, 1);
  bytes.writeDoubleBE(store.next, 9);
  bytes.writeDoubleBE(store.reserved, 17);
  bytes.writeUInt32BE(live.length, 25);
  bytes.writeUInt32BE(returned.length, 29);
  ranges.forEach(({ from, count }, i) => {
    bytes.writeDoubleBE(from, CHAIN_HEADER_BYTES + i * RANGE_BYTES);
    bytes.writeUInt32BE(count, CHAIN_HEADER_BYTES + i * RANGE_BYTES + 8);
  });
  return bytes;
}

/** Positions that hold persistent messages, neighbours together. */
function liveRanges(store: Chain): LiveRange[] {
  const ranges: { from: number; count: number }[] = [];
  let last: { from: number; count: number } | undefined;
  store.locations.forEach((position, location) => {
    if (!survives(location)) return;
    if (last !== undefined && last.from + last.count === position) {
      last.count++;
      return;
    }
    last = { from: position, count: 1 };
    ranges.push(last);
  });
  return ranges;
}
