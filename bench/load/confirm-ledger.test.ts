import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfirmLedger } from './confirm-ledger.js';

test('confirms are counted one by one, for all up to one, and out of order', () => {
  const ledger = new ConfirmLedger();
  ledger.take(2, false, false);
  assert.equal(ledger.count, 1);
  ledger.take(1, false, false);
  assert.equal(ledger.count, 2);
  ledger.take(7, true, false);
  assert.equal(ledger.count, 7);
  assert.equal(ledger.answers, 3);
});

test('what is confirmed twice counts once', () => {
  const ledger = new ConfirmLedger();
  ledger.take(3, true, false);
  ledger.take(2, false, false);
  ledger.take(3, true, false);
  assert.equal(ledger.count, 3);
});

test('a refusal counts as an answer, and as a refusal', () => {
  const ledger = new ConfirmLedger();
  ledger.take(1, false, false);
  ledger.take(2, false, true);
  assert.equal(ledger.count, 2);
  assert.equal(ledger.nacks, 1);
});
