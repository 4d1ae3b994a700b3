import type { Random } from '../../../base/random.js';
import type { RetrySettings } from './retry-settings.js';

/** How a message has come back. */
export type ComingBack =
  /** Its consumer has given it back, with `requeue`. */
  | 'returned'
  /** Its consumer's channel has ended. */
  | 'failed'
  /** Its consumer has rejected it, without `requeue`. */
  | 'rejected';

/**
 * How long a message waits that has come back for the `count`th time, in milliseconds; 0 if it does
 * not. `random` shortens the time, if it is to vary.
 */
export function retryDelay(
  { on, kind, baseMilliseconds, maxMilliseconds, multiplier, jitter }: RetrySettings,
  how: ComingBack,
  count: number,
  random: Random,
): number {
  if (!on.includes(how)) return 0;
  const factor = kind === 'linear' ? count : multiplier ** (count - 1);
  const delay = Math.min(baseMilliseconds * factor, maxMilliseconds);
  if (jitter === 0) return Math.round(delay);
  const chance = random.bytes(4).readUInt32BE() / 0x1_0000_0000;
  return Math.max(1, Math.round(delay * (1 - jitter * chance)));
}
