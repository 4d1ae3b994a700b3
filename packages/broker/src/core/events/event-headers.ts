import type { FieldTable, FieldValue } from '@leveret/amqp';
import { formatFieldEntry } from '../erlang-term.js';
import type { EventHeader } from '../ports.js';

/** A header that is text; a wire string. */
export function text(name: string, wire: string): EventHeader {
  return [name, { type: 'S', value: wire }];
}

export function flag(name: string, value: boolean): EventHeader {
  return [name, { type: 't', value }];
}

export function number(name: string, value: number): EventHeader {
  return [name, { type: 'l', value: BigInt(Math.trunc(value)) }];
}

/** A field table as RabbitMQ's events have them: each entry printed as an Erlang term. */
export function terms(name: string, table: FieldTable): EventHeader {
  const value = [...table].map(
    (entry): FieldValue => ({ type: 'S', value: formatFieldEntry(entry) }),
  );
  return [name, { type: 'A', value }];
}

/** A value of JSON as a header; its strings are wire strings. */
export function json(name: string, value: unknown): EventHeader {
  return [name, fieldOf(value)];
}

function fieldOf(value: unknown): FieldValue {
  switch (typeof value) {
    case 'string':
      return { type: 'S', value };
    case 'boolean':
      return { type: 't', value };
    case 'number':
      return Number.isSafeInteger(value)
        ? { type: 'l', value: BigInt(value) }
        : { type: 'd', value };
    default:
      if (Array.isArray(value)) return { type: 'A', value: value.map(fieldOf) };
      if (typeof value !== 'object' || value === null) return { type: 'S', value: String(value) };
      return {
        type: 'F',
        value: new Map(Object.entries(value).map(([key, each]) => [key, fieldOf(each)])),
      };
  }
}
