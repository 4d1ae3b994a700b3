import type { Attack } from './attack.js';
import type { Outcome } from './trial.js';

/** How much of their rate others may lose, and how much later their messages may come. */
const RATE_SHARE = 0.8;
const P99_MILLISECONDS = 50;

const WIDTHS = [39, 15, 21, 19, 14];

/** What stands above the rows. */
export const FIGURES_HEAD: string = row([
  'attack',
  'messages/s',
  'p99 ms (slowest)',
  'peak MiB (of)',
  'what it did',
]);

/** One row: each figure before the attack and during it. */
export function figuresOf(attack: Attack, outcome: Outcome): string {
  const { calm, attacked, report, peakBytes, memoryBytes } = outcome;
  const done = [
    ...Object.entries(report.counts).map(([what, times]) => `${times} ${what}`),
    ...Object.entries(report.refusals).map(([code, times]) => `${times} × ${code}`),
  ];
  return row([
    attack.name,
    `${calm.rate.toFixed(0)} ${attacked.rate.toFixed(0)}`,
    `${calm.p99.toFixed(1)} ${attacked.p99.toFixed(1)} (${attacked.slowest.toFixed(0)})`,
    `${peakBytes >> 20} (${memoryBytes >> 20} + …)`,
    done.join(', '),
  ]);
}

/** Where others were slowed more than is promised. While there is an alarm they wait by design. */
export function* slownessOf(attack: Attack, { calm, attacked }: Outcome): Iterable<string> {
  if (attack.raisesAlarm) return;
  if (attacked.rate < calm.rate * RATE_SHARE) yield 'others have lost a fifth of their rate';
  if (attacked.p99 > calm.p99 + P99_MILLISECONDS) {
    yield `messages of others came ${P99_MILLISECONDS} ms later`;
  }
}

function row(cells: readonly string[]): string {
  return cells.map((cell, at) => cell.padEnd(WIDTHS[at] ?? 0)).join(' ');
}
