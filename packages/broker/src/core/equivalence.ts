import { type FieldTable, type FieldValue, fieldTypeName, sameFieldValue } from '@leveret/amqp';
import { formatFieldValue } from './erlang-term.js';
import { Refusal } from './refusal.js';

/**
 * A declaration of what exists already must ask for the same (RabbitMQ `assert_field_equivalence`).
 * `thing` is the full name, as in `queue 'q' in vhost '/'`.
 */
export function requireSame(
  thing: string,
  property: string,
  asked: boolean | string,
  current: boolean | string,
): void {
  if (asked !== current) refuse(thing, property, `'${asked}'`, `'${current}'`);
}

/**
 * The same for arguments: those named in `keys` must be equal, integers by value whatever width.
 */
export function requireSameArguments(
  thing: string,
  keys: readonly string[],
  asked: FieldTable,
  current: FieldTable,
): void {
  for (const key of keys) {
    const askedValue = asked.get(key);
    const currentValue = current.get(key);
    if (askedValue === undefined && currentValue === undefined) continue;
    if (askedValue !== undefined && currentValue !== undefined) {
      if (sameFieldValue(askedValue, currentValue)) continue;
      refuse(thing, key, quoted(askedValue), quoted(currentValue));
    } else if (key !== 'x-queue-type' || !isClassic(askedValue ?? currentValue)) {
      refuse(thing, key, describe(askedValue), describe(currentValue));
    }
  }
}

function refuse(thing: string, key: string, asked: string, current: string): never {
  throw new Refusal(
    'precondition-failed',
    `inequivalent arg '${key}' for ${thing}: received ${asked} but current is ${current}`,
  );
}

/** Of two values that are both there; void counts as none. */
function quoted(value: FieldValue): string {
  return value.type === 'V' ? 'none' : `'${formatFieldValue(value)}'`;
}

function describe(value: FieldValue | undefined): string {
  if (value === undefined) return 'none';
  return `the value '${formatFieldValue(value)}' of type '${fieldTypeName(value)}'`;
}

/** A classic queue may or may not say that it is one. */
function isClassic(value: FieldValue | undefined): boolean {
  return value?.type === 'S' && value.value === 'classic';
}
