import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';

/** Turns of the event loop after which nothing more is to be hoped for. */
const TURNS_MAX = 20_000;

/** Waits, turn by turn, until something holds. */
export async function until(condition: () => boolean, what: string = 'it'): Promise<void> {
  for (let turn = 0; turn < TURNS_MAX; turn++) {
    if (condition()) return;
    await setImmediate();
  }
  assert.fail(`${what} has not come about`);
}
