import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startLeveretProcess } from '../peers/leveret-process.js';
import { SeededRandom } from '../wire/seeded-random.js';
import { fuzzStream } from './fuzz-stream.js';
import { sendHostileStreams } from './hostile-streams.js';
import { fuzzInputs } from './inputs.js';

/** A failure names it. The same for everybody, so that one who breaks nothing fails nothing. */
const seed = Number(process.env.FUZZ_SEED ?? 1);
const inputs = Number(process.env.FUZZ_INPUTS ?? 100_000);
const frames = Number(process.env.FUZZ_FRAMES ?? 100_000);

test(`${inputs} inputs for what reads octets of strangers, seed ${seed}`, async (t) => {
  const report = await fuzzInputs(inputs, seed, false);
  t.diagnostic(`${report.inputs} inputs in ${report.seconds.toFixed(1)} s`);
  assert.ok(report.inputs >= inputs);
});

test(`${frames} hostile frames, seed ${seed}: the broker lives and serves others`, async (t) => {
  const leveret = await startLeveretProcess();
  t.after(() => leveret.stop());
  const report = await sendHostileStreams({ port: leveret.port, frames, seed });
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
