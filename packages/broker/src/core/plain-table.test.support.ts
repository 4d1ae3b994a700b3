import type { FieldTable, FieldValue } from '@leveret/amqp';

/** Values that tests write tables with. */
export type Plain =
  | string
  | number
  | boolean
  | readonly Plain[]
  | { readonly [key: string]: Plain };

/** A table of plain values: text, 32-bit integers, booleans, arrays and tables of such. */
export function tableOf(values: Readonly<Record<string, Plain>>): FieldTable {
  return new Map(Object.entries(values).map(([name, value]) => [name, fieldOf(value)]));
}

function fieldOf(value: Plain): FieldValue {
  if (typeof value === 'string') return { type: 'S', value };
  if (typeof value === 'number') return { type: 'I', value };
  if (typeof value === 'boolean') return { type: 't', value };
  if (isList(value)) return { type: 'A', value: value.map(fieldOf) };
  return { type: 'F', value: tableOf(value) };
}

function isList(value: Plain): value is readonly Plain[] {
  return Array.isArray(value);
}

/** What a table says, without the types. */
export function plainOf(table: FieldTable): Record<string, unknown> {
  return Object.fromEntries([...table].map(([name, field]) => [name, plainValueOf(field)]));
}

function plainValueOf(field: FieldValue): unknown {
  if (field.type === 'A') return field.value.map(plainValueOf);
  return field.type === 'F' ? plainOf(field.value) : field.value;
}
