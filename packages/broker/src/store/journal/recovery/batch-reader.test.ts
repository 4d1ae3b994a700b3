import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BATCH_HEADER_BYTES,
  BATCHES_OFFSET,
  decodeBatchHeader,
  type FileHeader,
  sealBatch,
} from '../journal-format.js';
import { batchesOf } from './batch-reader.js';

const HEADER: FileHeader = { number: 2, seed: 7, epoch: 3, firstOperation: 100 };
const EARLIER_SEED = 8;

function batch(firstOperation: number, seed: number): Buffer {
  const bytes = Buffer.alloc(BATCH_HEADER_BYTES + 10, seed);
  sealBatch(bytes, { firstOperation, durable: firstOperation, count: 5, epoch: 3 }, seed);
  return bytes;
}

function read(...batches: Buffer[]): { operations: number[]; problems: string[] } {
  const file = Buffer.concat([Buffer.alloc(BATCHES_OFFSET), ...batches, Buffer.alloc(1_000)]);
  const problems: string[] = [];
  const found = [...batchesOf(file, HEADER, (problem, at) => problems.push(`${problem} at ${at}`))];
  return { operations: found.map(({ header }) => header.firstOperation), problems };
}

test('what an earlier use has left behind the last batch is nothing to tell of', () => {
  assert.deepEqual(read(batch(100, 7), batch(105, 7), batch(60, EARLIER_SEED)), {
    operations: [100, 105],
    problems: [],
  });
});

test('a batch that was not written to its end is told of', () => {
  const torn = batch(105, 7);
  for (let length = 40; length < torn.length; length += 3) {
    const rest = Buffer.from(batch(60, EARLIER_SEED).subarray(length));
    const { operations, problems } = read(batch(100, 7), torn.subarray(0, length), rest);
    assert.deepEqual(operations, [100]);
    assert.deepEqual(problems, [`cut-off at ${BATCHES_OFFSET + torn.length}`], `cut to ${length}`);
  }
});

test('a damaged batch with one behind it that counts on it is passed over, and told of', () => {
  const damaged = batch(105, 7);
  damaged[70]! ^= 1;
  assert.deepEqual(read(batch(100, 7), damaged, batch(110, 7)), {
    operations: [100, 110],
    problems: [`damage at ${BATCHES_OFFSET + damaged.length}`],
  });
});

test('a header that was made for another file says nothing, not even how long its batch is', () => {
  assert.ok(decodeBatchHeader(batch(100, 7), 0, 7) !== undefined);
  assert.equal(decodeBatchHeader(batch(100, EARLIER_SEED), 0, 7), undefined);
});
