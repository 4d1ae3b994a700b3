import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RowResult, Sample } from './comparison.js';
import { NO_FAULTS } from './load/sequence-check.js';
import { faultsOf, linesOf, tableOfLines } from './report.js';
import type { Row } from './rows/row.js';

const BROKERS = ['own', 'peer'];

function rowOf(better: 'higher' | 'lower'): Row {
  return {
    name: 'row',
    figures: [{ name: '', unit: 'msg/s', better }],
    measure: () => Promise.resolve(undefined),
  };
}

function sample(value: number, lost = 0): Sample {
  return {
    measurement: { values: [value], cpuMicroseconds: 2, faults: { ...NO_FAULTS, lost } },
    residentMebibytes: 50,
  };
}

test('the ratio is the median of the ratios of the rounds, and above 1 when we are better', () => {
  const samples = [
    [sample(100), sample(300), sample(200)],
    [sample(50), sample(100), sample(400)],
  ];
  const [line] = linesOf({ row: rowOf('higher'), samples }, BROKERS);
  assert.deepEqual(
    line?.cells.map(({ median, ratio }) => [median, ratio]),
    [
      [200, 1],
      [100, 2],
    ],
  );
  const [lower] = linesOf({ row: rowOf('lower'), samples }, BROKERS);
  assert.equal(lower?.cells[1]?.ratio, 0.5);
});

test('a fault in any round is told, and so is a failure', () => {
  const result: RowResult = {
    row: rowOf('higher'),
    samples: [
      [sample(1), sample(1, 3)],
      [sample(1), 'the broker dropped a connection'],
    ],
  };
  const lines = linesOf(result, BROKERS);
  assert.equal(faultsOf(lines), 'own, row: 3 lost\npeer, row: the broker dropped a connection');
  assert.match(tableOfLines(lines, BROKERS), /\| row +\| msg\/s \| +1 \| failed \|/);
});

test('no fault is told where there is none, nor a figure that could not be had', () => {
  const samples = [[sample(10)], [sample(Number.NaN)]];
  const lines = linesOf({ row: rowOf('higher'), samples }, BROKERS);
  assert.match(faultsOf(lines), /^No message was lost/);
  assert.equal(lines[0]?.cells[1]?.median, undefined);
  assert.equal(lines[0]?.cells[1]?.ratio, undefined);
});
