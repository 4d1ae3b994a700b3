import type { FieldTable } from '@leveret/amqp';
import { Refusal } from '../refusal.js';
import { countArgument, DEDUPLICATION_TYPE, KEY_HEADER } from './settings.js';

/**
 * Checks what an exchange is declared with, in the words of RabbitMQ's deduplication plugin, which
 * names neither the exchange nor the value. Throws a Refusal.
 */
export function checkExchangeDeduplication(type: string, args: FieldTable): void {
  if (type === DEDUPLICATION_TYPE && !args.has('x-cache-size')) {
    throw refusal("Missing or invalid argument, 'x-cache-size' must be an integer greater than 0");
  }
  checkDeduplicationArguments(args);
  if (args.get('x-deduplication-dead-letter')?.value !== true) return;
  if (args.get('x-dead-letter-exchange')?.type === 'S') return;
  throw refusal(
    "Invalid argument, 'x-deduplication-dead-letter' of an exchange needs " +
      "'x-dead-letter-exchange', the name of an exchange for the duplicates",
  );
}

/** Checks the arguments that queues and exchanges share. Throws a Refusal. */
export function checkDeduplicationArguments(args: FieldTable): void {
  for (const key of ['x-message-deduplication', 'x-deduplication-dead-letter']) {
    const value = args.get(key);
    if (value !== undefined && value.type !== 't') {
      throw refusal(`Invalid argument, '${key}' must be a boolean`);
    }
  }
  for (const key of ['x-cache-size', 'x-cache-ttl']) {
    if (!args.has(key) || (countArgument(args, key) ?? 0) > 0) continue;
    const problem = key === 'x-cache-size' ? 'Missing or invalid argument' : 'Invalid argument';
    throw refusal(`${problem}, '${key}' must be an integer greater than 0`);
  }
  const persistence = args.get('x-cache-persistence')?.value;
  if (persistence !== undefined && persistence !== 'disk' && persistence !== 'memory') {
    throw refusal("Invalid argument, 'x-cache-persistence' must be either 'disk' or 'memory'");
  }
  const header = args.get(KEY_HEADER);
  if (header !== undefined && header.type !== 'S') {
    throw refusal(`Invalid argument, '${KEY_HEADER}' must be a string, the name of a header`);
  }
}

function refusal(text: string): Refusal {
  return new Refusal('precondition-failed', text);
}
