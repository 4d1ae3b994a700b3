import type { Attack } from './attack.js';
import type { Outcome } from './trial.js';

/** How much of their rate others may lose, and how much later their messages may come. */
const RATE_SHARE = 0.8;
const P99_MILLISECONDS = 50;

/** Share of the time that somebody waited for a processor, above which slowness proves nothing. */
const BUSY_SHARE = 0.1;

const WIDTHS = [38, 11, 22, 8, 17];

/** What stands above the rows. */
export const FIGURES_HEAD: string = row([
  'attack',
  'messages/s',
  'p99 ms (slowest)',
  'waited',
  'peak MiB (of)',
  'what it did',
]);

/** One row: each figure before the attack and during it. */
export function figuresOf(attack: Attack, outcome: Outcome): string {
  const { calm, attacked, waiting, report, peakBytes, memoryBytes } = outcome;
  const done = [
    ...Object.entries(report.counts).map(([what, times]) => `${times} ${what}`),
    ...Object.entries(report.refusals).map(([code, times]) => `${times} × ${code}`),
  ];
  return row([
    attack.name,
    `${calm.rate.toFixed(0)} ${attacked.rate.toFixed(0)}`,
    `${calm.p99.toFixed(1)} ${attacked.p99.toFixed(1)} (${attacked.slowest.toFixed(0)})`,
    `${(100 * waiting).toFixed(0)} %${isBusy(outcome) ? ' !' : ''}`,
    `${peakBytes >> 20} (${memoryBytes >> 20} + …)`,
    done.join(', '),
  ]);
}

/** Whether the machine had other things to do. */
export function isBusy({ waiting }: Outcome): boolean {
  return waiting > BUSY_SHARE;
}

/**
 * Where others were slowed more than is promised. While there is an alarm they wait by design; and
 * what was measured on a machine that is busy is not held against the broker.
 */
export function* slownessOf(attack: Attack, outcome: Outcome): Iterable<string> {
  const { calm, attacked } = outcome;
  if (attack.raisesAlarm || isBusy(outcome)) return;
  if (attacked.rate < calm.rate * RATE_SHARE) yield 'others have lost a fifth of their rate';
  if (attacked.p99 > calm.p99 + P99_MILLISECONDS) {
    yield `messages of others came ${P99_MILLISECONDS} ms later`;
  }
}

function row(cells: readonly string[]): string {
  return cells.map((cell, at) => cell.padEnd(WIDTHS[at] ?? 0)).join(' ');
}
