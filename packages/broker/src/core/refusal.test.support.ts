import assert from 'node:assert/strict';
import { Refusal, type RefusalReason } from './refusal.js';

/** That an action is refused, for that reason and with exactly that text. */
export function assertRefused(action: () => void, reason: RefusalReason, text: string): void {
  assert.throws(action, (error) => {
    assert.ok(error instanceof Refusal, String(error));
    assert.equal(error.message, text);
    assert.equal(error.reason, reason);
    return true;
  });
}
