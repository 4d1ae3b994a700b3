import type { Machine } from './machine.js';
import { faultsOf, type Line, tableOfLines } from './report.js';

/** What is to be told of a run. */
export interface Results {
  /** ISO 8601, UTC. */
  readonly began: string;
  readonly rounds: number;
  readonly seconds: number;
  /** Whether processors were kept from going to sleep. */
  readonly awake: boolean;
  readonly machine: Machine;
  readonly brokers: readonly string[];
  readonly lines: readonly Line[];
}

/** The page in the documentation that shows a run; the picture lies beside it. */
export function resultsPage(results: Results, picture: string): string {
  const { began, rounds, seconds, awake, machine, brokers, lines } = results;
  const gibibytes = Math.round(machine.memoryBytes / 2 ** 30);
  const load = machine.loadAverages.map((average) => average.toFixed(1)).join(', ');
  return `# What was measured

<!-- Written by \`npm run bench -- --docs\`: change the benchmark, not this page. -->

On ${began.slice(0, 10)}, with ${brokers.join(' and ')}, one after the other in every round. Medians;
rounds: ${rounds}, of ${seconds} s each. Generator and broker shared ${machine.processors.length} × ${machine.processors[0] ?? 'an unknown processor'},
${gibibytes} GiB, Linux ${machine.linux}, Node.js ${machine.node}; load averages at the end: ${load}.
${awake ? 'Processors were kept from going to sleep, which takes a virtual one long to come back from.\n' : ''}"CPU µs" is what the broker's process took for a message, and what the generator took beside the first
broker; "MiB" what the broker held in memory when the row was over. What costs what, and why, says [performance](performance.md).

![Every row as a bar, and cost over size as curves](${picture})

${tableOfLines(lines, brokers)}

${faultsOf(lines)}
`;
}
