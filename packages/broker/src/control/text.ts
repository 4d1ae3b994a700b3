import { fromWire } from '@leveret/amqp';
import { Refusal } from '../core/refusal.js';

/** The same value with each string in it converted, keys included. */
export function convert<T>(value: T, how: (string: string) => string): T {
  // What comes out is as deep and of the same types as what goes in.
  return convertUnknown(value, how) as T;
}

/** Does what may be refused, and has the refusal in text. */
export function inText<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof Refusal) throw new Refusal(error.reason, fromWire(error.message));
    throw error;
  }
}

function convertUnknown(value: unknown, how: (string: string) => string): unknown {
  if (typeof value === 'string') return how(value);
  if (Array.isArray(value)) return value.map((each) => convertUnknown(each, how));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  return Object.fromEntries(entries.map(([key, each]) => [how(key), convertUnknown(each, how)]));
}
