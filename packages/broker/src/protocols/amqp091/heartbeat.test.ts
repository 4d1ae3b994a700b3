import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../base/manual-clock.test.support.js';
import { until } from '../../base/until.test.support.js';
import { Heartbeat } from './heartbeat.js';
import { frameOf, newPair } from './transport-world.test.support.js';

const FRAME = '08000000000000ce';
const INTERVAL_SECONDS = 10;
const HALF = 5_000;

function newHeartbeat(intervalSeconds = INTERVAL_SECONDS): ReturnType<typeof newPair> & {
  clock: ManualClock;
  heartbeat: Heartbeat;
  missed: () => number;
} {
  const pair = newPair();
  const clock = new ManualClock();
  let missed = 0;
  const heartbeat = new Heartbeat(clock, pair.transport, intervalSeconds, () => missed++);
  return { ...pair, clock, heartbeat, missed: () => missed };
}

test('a heartbeat is sent each half interval, whatever else is sent', async () => {
  const { clock, received, transport } = newHeartbeat();
  clock.advance(HALF - 1);
  assert.equal(received.length, 0);
  for (let beats = 1; beats <= 3; beats++) {
    clock.advance(beats === 1 ? 1 : HALF);
    await until(() => received.length === beats);
    assert.equal(received[beats - 1]?.toString('hex'), FRAME);
    transport.hasReceived = true;
  }
});

test('a peer that is silent for two intervals is given up, once', () => {
  const { clock, missed } = newHeartbeat();
  clock.advance(4 * HALF - 1);
  assert.equal(missed(), 0);
  clock.advance(1);
  assert.equal(missed(), 1);
  assert.equal(clock.timers, 0);
  clock.advance(10 * HALF);
  assert.equal(missed(), 1);
});

test('whatever comes is a sign of life', async () => {
  const { clock, missed, theirs, listener, transport } = newHeartbeat();
  for (let i = 0; i < 20; i++) {
    theirs.write(frameOf('x'));
    await until(() => listener.frames.length === i + 1 && transport.hasReceived);
    clock.advance(3 * HALF);
    assert.equal(missed(), 0);
  }
  // Part of a frame is one too.
  theirs.write(frameOf('x').subarray(0, 3));
  await until(() => transport.hasReceived);
  clock.advance(3 * HALF);
  assert.equal(missed(), 0);
  clock.advance(2 * HALF);
  assert.equal(missed(), 1);
});

test('a peer we have stopped reading from is not held to be silent', () => {
  const { clock, missed, transport } = newHeartbeat();
  transport.holdReading(false);
  clock.advance(100 * HALF);
  assert.equal(missed(), 0);
  transport.resumeReading();
  clock.advance(3 * HALF);
  assert.equal(missed(), 0);
  clock.advance(HALF);
  assert.equal(missed(), 1);
});

test('an interval of 0 is no heartbeat', () => {
  const { clock, missed, received } = newHeartbeat(0);
  assert.equal(clock.timers, 0);
  clock.advance(1_000_000);
  assert.equal(missed(), 0);
  assert.equal(received.length, 0);
});

test('stopped, it sets no more timers', () => {
  const { clock, heartbeat, missed } = newHeartbeat();
  clock.advance(HALF);
  heartbeat.stop();
  assert.equal(clock.timers, 0);
  clock.advance(100 * HALF);
  assert.equal(missed(), 0);
  newHeartbeat(0).heartbeat.stop();
});
