import type { RowResult, Sample } from './comparison.js';
import { median } from './load/percentile.js';
import { addFaults, type Faults, NO_FAULTS } from './load/sequence-check.js';
import type { CurvePoint, Figure } from './rows/row.js';
import { format, tableOf } from './table.js';

/** One figure of one broker, over the rounds. */
export interface Cell {
  readonly broker: string;
  readonly values: readonly number[];
  readonly median: number | undefined;
  /** How many times better than this broker the first one is: the median of the rounds' ratios. */
  readonly ratio: number | undefined;
  readonly cpuMicroseconds: number | undefined;
  readonly generatorMicroseconds: number | undefined;
  readonly residentMebibytes: number | undefined;
  readonly faults: Faults;
  readonly failures: readonly string[];
}

/** One line of the table. */
export interface Line {
  readonly row: string;
  readonly unit: string;
  readonly better: Figure['better'];
  readonly point: CurvePoint | undefined;
  readonly cells: readonly Cell[];
}

/** The medians of a row's rounds: a line for each of its figures. */
export function linesOf(result: RowResult, brokers: readonly string[]): Line[] {
  return result.row.figures.map((figure, at) => ({
    row: figure.name === '' ? result.row.name : `${result.row.name}: ${figure.name}`,
    unit: figure.unit,
    better: figure.better,
    point: result.row.point,
    cells: brokers.map((broker, column) => cellOf(result, figure, at, broker, column)),
  }));
}

function cellOf(
  { samples }: RowResult,
  figure: Figure,
  at: number,
  broker: string,
  column: number,
): Cell {
  const own = samples[column]!;
  const measured = own.filter(isSample);
  const figureIn = (sample: Sample | string | undefined): number | undefined =>
    isSample(sample) ? known(sample.measurement.values[at]) : undefined;
  const ratios = own.flatMap((sample, round) => {
    const value = figureIn(sample);
    const first = figureIn(samples[0]![round]);
    if (value === undefined || first === undefined) return [];
    return [figure.better === 'higher' ? first / value : value / first];
  });
  return {
    broker,
    values: own.map(figureIn).filter((value) => value !== undefined),
    median: medianOf(own.map(figureIn)),
    ratio: medianOf(ratios),
    cpuMicroseconds: medianOf(measured.map((sample) => sample.measurement.cpuMicroseconds)),
    generatorMicroseconds: medianOf(
      measured.map((sample) => sample.measurement.generatorMicroseconds),
    ),
    residentMebibytes: medianOf(measured.map((sample) => sample.residentMebibytes)),
    faults: measured.reduce((sum, sample) => {
      return addFaults(sum, sample.measurement.faults ?? NO_FAULTS);
    }, NO_FAULTS),
    failures: own.filter((sample) => typeof sample === 'string'),
  };
}

/** The table in Markdown. */
export function tableOfLines(lines: readonly Line[], brokers: readonly string[]): string {
  const [first, ...peers] = brokers;
  const head = [
    'row',
    'unit',
    ...brokers,
    ...peers.map((peer) => `${first} : ${peer}`),
    ...brokers.map((broker) => `CPU µs ${broker}`),
    'CPU µs generator',
    ...brokers.map((broker) => `MiB ${broker}`),
  ];
  const body = lines.map(({ row, unit, cells }) => [
    row,
    unit,
    ...cells.map((cell) => (cell.failures.length > 0 ? 'failed' : format(cell.median))),
    ...cells.slice(1).map(({ ratio }) => (ratio === undefined ? '-' : `${format(ratio)}×`)),
    ...cells.map((cell) => format(cell.cpuMicroseconds)),
    format(cells[0]?.generatorMicroseconds),
    ...cells.map((cell) => format(cell.residentMebibytes)),
  ]);
  return tableOf(head, body, 2);
}

/** What went wrong, a sentence each; says so when nothing did. */
export function faultsOf(lines: readonly Line[]): string {
  const said = new Set<string>();
  for (const { row, cells } of lines) {
    for (const { broker, faults, failures } of cells) {
      const found = Object.entries(faults).filter(([, count]) => count > 0);
      const text = found.map(([name, count]) => `${count} ${name}`).join(', ');
      if (text !== '') said.add(`${broker}, ${row.replace(/: .*/, '')}: ${text}`);
      for (const failure of failures) said.add(`${broker}, ${row}: ${failure}`);
    }
  }
  if (said.size === 0)
    return 'No message was lost, duplicated, out of order, misrouted or refused.';
  return [...said].join('\n');
}

function isSample(sample: Sample | string | undefined): sample is Sample {
  return typeof sample === 'object';
}

/** A figure that could not be had is not a number. */
function known(value: number | undefined): number | undefined {
  return Number.isNaN(value) ? undefined : value;
}

function medianOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : median(known);
}
