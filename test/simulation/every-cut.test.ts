import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../wire/seeded-random.js';
import {
  type DiskEvent,
  DiskState,
  EVERYTHING,
  NOTHING_MORE,
  randomSurvival,
  type Survival,
} from './disk-state.js';
import { FaultyFiles } from './faulty-files.js';
import { observe } from './observation.js';
import { type History, recordHistory } from './short-history.js';

/** Set for every octet and every failing write, which takes minutes; else some are tried. */
const isLong = process.env.LEVERET_LONG_TESTS === '1';

/** The writes that fail, each in a history of its own, counted from the first of its steps. */
const failing = Array.from({ length: 50 }, (_, i) => i).filter((i) => isLong || i === 20);

test('a short history may be cut anywhere', async () => {
  await cutEverywhere(await recordHistory(), isLong);
});

for (const after of failing) {
  test(`a short history may be cut anywhere, with write ${after} failing`, async () => {
    const fault = { call: 'write', path: '/journal-0', after, times: 1 + (after % 3) } as const;
    await cutEverywhere(await recordHistory({ ...fault, share: (after % 5) / 4 }), false);
  });
}

async function cutEverywhere(history: History, atEveryOctet: boolean): Promise<void> {
  const random = new SeededRandom(1);
  for (const [at, event] of history.events.entries()) {
    const before = history.events.slice(0, at);
    await check(history, at, before, NOTHING_MORE);
    await check(history, at, before, EVERYTHING);
    for (let i = isLong ? 4 : 1; i > 0; i--) {
      await check(history, at, before, randomSurvival(random));
    }
    if (event.kind !== 'write') continue;
    for (const length of cutsOf(event, atEveryOctet, random)) {
      const torn = { ...event, bytes: event.bytes.subarray(0, length) };
      await check(history, at, [...before, torn], EVERYTHING);
    }
  }
  await check(history, history.events.length, history.events, NOTHING_MORE);
}

/** Lengths to cut a write at: all of them, or some; what is zeros from end to end is not cut. */
function cutsOf(
  event: Extract<DiskEvent, { kind: 'write' }>,
  atEveryOctet: boolean,
  random: SeededRandom,
): number[] {
  const { bytes } = event;
  if (bytes.every((octet) => octet === 0)) return [];
  const all = Array.from({ length: bytes.length - 1 }, (_, i) => i + 1);
  return atEveryOctet ? all : [random.pick(all), random.pick(all), bytes.length - 1];
}

/** That what is left is what had been promised, or what had been asked for by then. */
async function check(
  { milestones, fileBytes }: History,
  at: number,
  events: readonly DiskEvent[],
  survival: Survival,
): Promise<void> {
  const content = DiskState.of(events).afterPowerLoss(survival);
  let first = 0;
  let last = 0;
  milestones.forEach(({ begun, answered }, i) => {
    if (answered !== undefined && answered <= at) first = i;
    if (begun <= at) last = i;
  });
  const seen = await observe(new FaultyFiles({ content }), fileBytes);
  // That a batch was not written to its end is what is to be expected.
  const found = seen.replace(/\n.*cut off$/gm, '');
  const allowed = milestones.slice(first, last + 1).map(({ state }) => state);
  assert.ok(
    allowed.includes(found),
    `cut at ${at}: found\n${found}\nand not one of\n${[...new Set(allowed)].join('\n- or\n')}`,
  );
}
