import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BrokerSource } from './brokers/broker.js';
import { chartOf } from './chart.js';
import { compare } from './comparison.js';
import { keepAwake } from './keep-awake.js';
import { machine } from './machine.js';
import { faultsOf, type Line, linesOf, tableOfLines } from './report.js';
import { resultsPage } from './results-page.js';
import { ROWS } from './rows/rows.js';

export interface RunOptions {
  /** Parts of the names of rows; none: all rows. */
  readonly rows: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  /** Where the numbers go, and beside it a picture. Default a new file in `bench/results`. */
  readonly json: string | undefined;
  /** Whether processors are kept from going to sleep. */
  readonly awake?: boolean;
  /** Whether the page in the documentation is written anew. */
  readonly docs?: boolean;
}

const RESULTS = fileURLToPath(new URL('../results', import.meta.url));
const DOCS = fileURLToPath(new URL('../../docs', import.meta.url));
const PAGE = 'performance-results';

/**
 * Measures, prints the table, writes the JSON file. The first source is held against the others.
 */
export async function runAndReport(
  sources: readonly BrokerSource[],
  { rows, rounds, seconds, json, awake = false, docs = false }: RunOptions,
): Promise<void> {
  if (!(rounds >= 1 && seconds > 0)) throw new Error('--rounds and --seconds must be above 0');
  const chosen = ROWS.filter(({ name }) => {
    return rows.length === 0 || rows.some((part) => name.includes(part));
  });
  if (chosen.length === 0) throw new Error(`no row ${rows.join(', ')}; --list names them`);
  const brokers = sources.map(({ name }) => name);
  const began = new Date().toISOString();
  const lines: Line[] = [];
  const letSleep = awake ? keepAwake() : undefined;
  try {
    await compare(sources, chosen, {
      rounds,
      seconds,
      progress: (result) => {
        const some = linesOf(result, brokers);
        lines.push(...some);
        console.error(`${tableOfLines(some, brokers).split('\n').slice(2).join('\n')}`);
      },
    });
  } finally {
    letSleep?.();
  }
  console.log(`\n${tableOfLines(lines, brokers)}\n\n${faultsOf(lines)}`);
  const file = json ?? `${RESULTS}/${began.replace(/[:.]/g, '-')}.json`;
  await mkdir(dirname(file), { recursive: true });
  const results = { began, rounds, seconds, awake, machine: machine(), brokers, lines };
  await writeFile(file, `${JSON.stringify(results, undefined, 2)}\n`);
  const picture = file.replace(/(\.json)?$/, '.svg');
  await writeFile(picture, chartOf(lines, brokers));
  console.log(`\nAll rounds: ${file}\nA picture: ${picture}`);
  if (!docs) return;
  await writeFile(`${DOCS}/${PAGE}.md`, resultsPage(results, `${PAGE}.svg`));
  await writeFile(`${DOCS}/${PAGE}.svg`, chartOf(lines, brokers));
  console.log(`The page: ${DOCS}/${PAGE}.md`);
}
