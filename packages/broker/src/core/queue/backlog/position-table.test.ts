import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PositionTable } from './position-table.js';

for (const stride of [1, 256]) {
  test(`positions ${stride} apart: what was put in is found, and nothing else`, () => {
    const table = new PositionTable(stride);
    const level = stride === 1 ? 0 : 5;
    const positionOf = (i: number): number => i * stride + level;
    for (let i = 0; i < 2_000; i += 2) table.add(positionOf(i), i / 2, 1 + (i % 3));
    assert.equal(table.size, 1_000);
    for (let i = 0; i < 2_000; i++) {
      const position = positionOf(i);
      assert.equal(table.state(position), i % 2 === 0 ? 1 + (i % 3) : 0);
      if (i % 2 === 0) assert.equal(table.value(position), i / 2);
    }
  });

  test(`positions ${stride} apart: entries go one by one, and all at once`, () => {
    const table = new PositionTable(stride);
    for (let i = 0; i < 1_500; i++) table.add(i * stride, i, 1);
    for (let i = 0; i < 1_499; i++) table.delete(i * stride);
    table.delete(0);
    assert.equal(table.size, 1);
    assert.equal(table.state(0), 0);
    assert.equal(table.value(1_499 * stride), 1_499);
    table.setState(1_499 * stride, 2);
    assert.equal(table.state(1_499 * stride), 2);
    table.clear();
    assert.deepEqual([table.size, table.state(1_499 * stride)], [0, 0]);
    table.add(7 * stride, 3, 1);
    assert.equal(table.value(7 * stride), 3);
  });
}

test('levels of a priority queue do not get in each other’s way', () => {
  const table = new PositionTable(256);
  for (let level = 0; level < 256; level++) table.add(3 * 256 + level, level, 1);
  table.delete(3 * 256 + 7);
  assert.equal(table.state(3 * 256 + 7), 0);
  assert.equal(table.value(3 * 256 + 8), 8);
  assert.equal(table.size, 255);
});
