import { EncodeError } from './errors.js';
import { type FieldTable, type FieldValue, TABLE_LIMITS } from './field-table.js';
import { fromWire, toWire } from './wire-string.js';

/**
 * A field table from plain JavaScript values, as an application would write them:
 * `toFieldTable({ 'x-message-ttl': 60000, 'x-dead-letter-exchange': 'dlx' })`.
 *
 * | value | type |
 * |--|--|
 * | string | `S`, as UTF-8 |
 * | boolean | `t` |
 * | number, whole | `I`, or `l` beyond 32 bits |
 * | number, any other | `d` |
 * | bigint | `l` |
 * | Buffer, Uint8Array | `x` |
 * | Date | `T`, whole seconds |
 * | array | `A` |
 * | Map, object | `F` |
 * | null | `V` |
 *
 * Entries that are undefined are left out. Anything else, and nesting beyond TABLE_LIMITS (so also
 * an object that contains itself), is an EncodeError.
 */
export function toFieldTable(
  plain: ReadonlyMap<string, unknown> | Readonly<Record<string, unknown>>,
): FieldTable {
  return tableOf(plain, TABLE_LIMITS.depth);
}

/**
 * Plain JavaScript values from a field table, for people and for JSON; which integer type it was is
 * lost. `T` becomes a Date, `D` a number, `x` a Buffer, `V` null, and `l` a bigint where a number
 * would not be exact.
 */
export function fromFieldTable(table: FieldTable): Record<string, unknown> {
  // Object.fromEntries defines properties, so a key such as `__proto__` is only a key.
  return Object.fromEntries([...table].map(([key, value]) => [fromWire(key), plainOf(value)]));
}

function tableOf(plain: object, depthLeft: number): FieldTable {
  if (depthLeft === 0) throw new EncodeError('tables nested too deep');
  const table = new Map<string, FieldValue>();
  for (const [key, value] of plain instanceof Map ? plain : Object.entries(plain)) {
    if (value !== undefined) table.set(toWire(String(key)), fieldOf(value, depthLeft));
  }
  return table;
}

function arrayOf(values: readonly unknown[], depthLeft: number): FieldValue[] {
  if (depthLeft === 0) throw new EncodeError('arrays nested too deep');
  return values.map((value) => fieldOf(value ?? null, depthLeft));
}

function fieldOf(value: unknown, depthLeft: number): FieldValue {
  switch (typeof value) {
    case 'string':
      return { type: 'S', value: toWire(value) };
    case 'boolean':
      return { type: 't', value };
    case 'number':
      return numberOf(value);
    case 'bigint':
      return { type: 'l', value };
    case 'object':
      return objectOf(value, depthLeft);
    default:
      throw new EncodeError(`no field type for a ${typeof value}`);
  }
}

function numberOf(value: number): FieldValue {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) return { type: 'd', value };
  if (value >= -0x80000000 && value <= 0x7fffffff) return { type: 'I', value };
  return { type: 'l', value: BigInt(value) };
}

function objectOf(value: object | null, depthLeft: number): FieldValue {
  if (value === null) return { type: 'V', value };
  if (value instanceof Uint8Array) return { type: 'x', value: Buffer.from(value) };
  if (value instanceof Date) return { type: 'T', value: secondsOf(value) };
  if (Array.isArray(value)) return { type: 'A', value: arrayOf(value, depthLeft - 1) };
  return { type: 'F', value: tableOf(value, depthLeft - 1) };
}

function secondsOf(date: Date): bigint {
  const seconds = Math.floor(date.getTime() / 1000);
  // Also false for an invalid date, whose time is NaN.
  if (!(seconds >= 0)) throw new EncodeError('a timestamp cannot be before 1970');
  return BigInt(seconds);
}

function plainOf(field: FieldValue): unknown {
  switch (field.type) {
    case 'S':
      return fromWire(field.value);
    case 'l': {
      const number = Number(field.value);
      return Number.isSafeInteger(number) ? number : field.value;
    }
    case 'T':
      return new Date(Number(field.value) * 1000);
    case 'D':
      return field.value.value / 10 ** field.value.scale;
    case 'A':
      return field.value.map(plainOf);
    case 'F':
      return fromFieldTable(field.value);
    default:
      return field.value;
  }
}
