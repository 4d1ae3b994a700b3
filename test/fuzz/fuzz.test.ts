import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startLeveretProcess } from '../peers/leveret-process.js';
import { fuzz } from './hostile-streams.js';
import { fuzzStream } from './fuzz-stream.js';
import { SeededRandom } from '../wire/seeded-random.js';

/** Another seed every day's run; a failure names it. */
const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000);
const frames = Number(process.env.FUZZ_FRAMES ?? 100_000);

test(`${frames} hostile frames, seed ${seed}: the broker lives and serves others`, async (t) => {
  const leveret = await startLeveretProcess();
  t.after(() => leveret.stop());
  const report = await fuzz({ port: leveret.port, frames, seed });
  t.diagnostic(`${report.connections} connections, ${report.wellBehaved} good messages`);
  assert.ok(report.wellBehaved > 0);
  assert.ok(leveret.isRunning());
  assert.equal(await leveret.stop(), 0);
  assert.equal(leveret.complaints(), '');
});

test('the same seed gives the same streams', () => {
  const streams = [1, 2].map(() => {
    const random = new SeededRandom(7);
    return Array.from({ length: 20 }, () => fuzzStream(random).bytes.toString('hex'));
  });
  assert.deepEqual(streams[0], streams[1]);
  assert.equal(new Set(streams[0]).size, 20);
});
