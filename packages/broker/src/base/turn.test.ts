import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turn, type TurnEnd } from './turn.js';

/** A turn whose end is run by hand, and how often it was asked for. */
function newTurn(): { turn: Turn; end: () => void; asked: () => number } {
  const actions: (() => void)[] = [];
  let asked = 0;
  const turn = new Turn((action) => {
    asked++;
    actions.push(action);
  });
  return { turn, end: () => actions.shift()?.(), asked: () => asked };
}

function recorder(log: string[], name: string, action: () => void = () => {}): TurnEnd {
  return {
    endTurn: () => {
      log.push(name);
      action();
    },
  };
}

test('everything deferred is told once, in order, and the end is asked for once', () => {
  const { turn, end, asked } = newTurn();
  const log: string[] = [];
  for (const name of ['a', 'b', 'c']) turn.defer(recorder(log, name));
  assert.equal(asked(), 1);
  assert.deepEqual(log, []);
  end();
  assert.deepEqual(log, ['a', 'b', 'c']);
  end();
  assert.deepEqual(log, ['a', 'b', 'c']);
});

test('what is deferred while a turn ends belongs to the next one', () => {
  const { turn, end, asked } = newTurn();
  const log: string[] = [];
  const again = recorder(log, 'again', () => {
    if (log.length < 6) turn.defer(again);
  });
  turn.defer(again);
  turn.defer(recorder(log, 'other'));
  end();
  assert.deepEqual(log, ['again', 'other']);
  assert.equal(asked(), 2);
  end();
  assert.deepEqual(log, ['again', 'other', 'again']);
  turn.defer(recorder(log, 'late'));
  end();
  assert.deepEqual(log, ['again', 'other', 'again', 'again', 'late']);
});

test('by default a turn ends after the sockets that are readable now, on its own', async () => {
  const log: string[] = [];
  const turn = new Turn();
  const ended = new Promise<void>((resolve) => {
    turn.defer(recorder(log, 'end', resolve));
  });
  await Promise.resolve();
  assert.deepEqual(log, []);
  await ended;
  assert.deepEqual(log, ['end']);
});
