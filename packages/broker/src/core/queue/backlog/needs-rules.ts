import { LengthLimit } from '../length-limit.js';
import type { QueueSettings } from '../settings.js';

/** Whether a queue with such settings needs a backlog with rules. */
export function needsRules(settings: QueueSettings): boolean {
  return (
    settings.deadLetterExchange !== undefined ||
    settings.messageTtlMilliseconds !== undefined ||
    settings.deliveryLimit !== undefined ||
    settings.groupBy !== undefined ||
    settings.deduplication !== undefined ||
    settings.retry !== undefined ||
    LengthLimit.isSet(settings)
  );
}
