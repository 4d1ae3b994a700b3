import assert from 'node:assert/strict';
import { test } from 'node:test';
import { METHOD_ROWS } from './methods.js';

test('no two methods have the same ids', () => {
  const rows = Object.values(METHOD_ROWS);
  const ids = new Set(rows.map((row) => `${row.classId}.${row.methodId}`));
  assert.equal(ids.size, rows.length);
});

test('a class has one id', () => {
  const ids = new Map<string | undefined, number>();
  for (const [name, row] of Object.entries(METHOD_ROWS)) {
    const className = name.split('.')[0];
    assert.equal(ids.get(className) ?? row.classId, row.classId, name);
    ids.set(className, row.classId);
  }
  assert.equal(new Set(ids.values()).size, ids.size);
});

test('a reply comes from the other side and every -ok answers something', () => {
  const replies = new Set<string>();
  for (const [name, row] of Object.entries(METHOD_ROWS)) {
    for (const reply of [row.reply ?? []].flat()) {
      replies.add(reply);
      const from = METHOD_ROWS[reply].from;
      assert.ok(row.from === 'both' ? from === 'both' : from !== row.from, name);
    }
  }
  for (const name of Object.keys(METHOD_ROWS)) {
    if (name.endsWith('-ok')) assert.ok(replies.has(name), name);
  }
});
