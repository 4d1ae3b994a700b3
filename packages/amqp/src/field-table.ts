/**
 * Field tables: the typed key-value lists in arguments, headers and peer properties.
 *
 * The letters are the ones RabbitMQ reads and writes; where they differ from the specification's
 * (4.2.1), RabbitMQ is right, for every client follows it.
 */

/**
 * A value with its wire type:
 *
 * | letter | bytes after it | value |
 * |--|--|--|
 * | `t` | 1 | boolean (any octet but 0 is true) |
 * | `b` `B` | 1 | 8-bit integer, signed and unsigned |
 * | `s` `u` | 2 | 16-bit integer, signed and unsigned (`s` is no short string) |
 * | `I` `i` | 4 | 32-bit integer, signed and unsigned |
 * | `l` | 8 | 64-bit integer, signed; `L` is read as `l`, and never written |
 * | `f` `d` | 4, 8 | IEEE 754 number |
 * | `D` | 1 + 4 | decimal: value / 10^scale, both unsigned |
 * | `S` | 4 + n | string, as a wire string |
 * | `x` | 4 + n | bytes |
 * | `T` | 8 | seconds since 1970, unsigned |
 * | `A` | 4 + n | array of values |
 * | `F` | 4 + n | table |
 * | `V` | 0 | nothing |
 */
export type FieldValue =
  | { readonly type: 't'; readonly value: boolean }
  | { readonly type: 'b' | 'B' | 's' | 'u' | 'I' | 'i' | 'f' | 'd'; readonly value: number }
  | { readonly type: 'l' | 'T'; readonly value: bigint }
  | { readonly type: 'D'; readonly value: Decimal }
  | { readonly type: 'S'; readonly value: string }
  | { readonly type: 'x'; readonly value: Buffer }
  | { readonly type: 'A'; readonly value: readonly FieldValue[] }
  | { readonly type: 'F'; readonly value: FieldTable }
  | { readonly type: 'V'; readonly value: null };

/** `value / 10 ** scale`; scale is an octet, value an unsigned 32-bit integer. */
export interface Decimal {
  readonly scale: number;
  readonly value: number;
}

/**
 * A table, in the order of the wire; the keys are wire strings of at most 255 bytes. Of a key that
 * comes twice the first is kept, the one RabbitMQ finds when it looks the key up.
 */
export type FieldTable = ReadonlyMap<string, FieldValue>;

/** How much a table may make us do. Measures are taken on reading and on writing. */
export interface TableLimits {
  /** How deep tables and arrays may be nested; a table of plain values has depth 1. */
  readonly depth: number;
  /** How long a table may be, in bytes without its length. A frame is usually the tighter limit. */
  readonly bytes: number;
}

/** The default limits of tables: 64 deep, 1 MiB. */
export const TABLE_LIMITS: TableLimits = { depth: 64, bytes: 1_048_576 };

const TYPE_NAMES: Readonly<Record<FieldValue['type'], string>> = {
  t: 'bool',
  b: 'byte',
  B: 'unsignedbyte',
  s: 'short',
  u: 'unsignedshort',
  I: 'signedint',
  i: 'unsignedint',
  l: 'long',
  f: 'float',
  d: 'double',
  D: 'decimal',
  S: 'longstr',
  x: 'binary',
  T: 'timestamp',
  A: 'array',
  F: 'table',
  V: 'void',
};

/**
 * What RabbitMQ calls a value's type in its error texts: `signedint` for `I`, `longstr` for `S`.
 */
export function fieldTypeName(value: FieldValue): string {
  return TYPE_NAMES[value.type];
}

/**
 * Whether two values of an argument count as the same when a queue or exchange is declared again.
 *
 * As in RabbitMQ (rabbit_misc, assert_args_equivalence) integers of any width, and timestamps, are
 * equal by value, so are floats and doubles, and so are strings and byte arrays; no other types
 * mix. Inside arrays and tables the types and the order must match too.
 */
export function sameFieldValue(a: FieldValue, b: FieldValue): boolean {
  const valueA = comparable(a);
  const valueB = comparable(b);
  if (valueA === undefined || valueB === undefined) return identical(a, b);
  return isSame(valueA, valueB);
}

/** A NaN is the same as another one, and a zero as one below it. */
function isSame(a: unknown, b: unknown): boolean {
  return a === b || Object.is(a, b);
}

/** What types that may be compared with each other share: a bigint, a number or a string. */
function comparable(field: FieldValue): bigint | number | string | undefined {
  switch (field.type) {
    case 'b':
    case 'B':
    case 's':
    case 'u':
    case 'I':
    case 'i':
      return BigInt(field.value);
    case 'l':
    case 'T':
    case 'f':
    case 'd':
    case 'S':
      return field.value;
    case 'x':
      return field.value.toString('latin1');
    default:
      return undefined;
  }
}

function identical(a: FieldValue, b: FieldValue): boolean {
  if (a.type === 'A' && b.type === 'A') return identicalArrays(a.value, b.value);
  if (a.type === 'F' && b.type === 'F') return identicalTables(a.value, b.value);
  if (a.type === 'D' && b.type === 'D') {
    return a.value.scale === b.value.scale && a.value.value === b.value.value;
  }
  return a.type === b.type && isSame(comparable(a), comparable(b));
}

function identicalArrays(a: readonly FieldValue[], b: readonly FieldValue[]): boolean {
  if (a.length !== b.length) return false;
  return a.every((value, i) => {
    const other = b[i];
    return other !== undefined && identical(value, other);
  });
}

function identicalTables(a: FieldTable, b: FieldTable): boolean {
  const keysA = [...a.keys()];
  const keysB = [...b.keys()];
  if (keysA.length !== keysB.length || keysA.some((key, i) => key !== keysB[i])) return false;
  return identicalArrays([...a.values()], [...b.values()]);
}
