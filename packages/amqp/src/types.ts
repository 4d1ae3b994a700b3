import type { FieldTable } from './field-table.js';
import type { FieldType, METHODS, MethodName } from './methods.js';

/** What a field's wire type is in JavaScript. Strings are wire strings. */
export interface FieldTypes {
  bit: boolean;
  octet: number;
  short: number;
  long: number;
  /** Exact up to 2^53, further than anyone counts; a larger one is read as the nearest number. */
  longlong: number;
  shortstr: string;
  longstr: string;
  table: FieldTable;
}

type Fields<N extends MethodName> = (typeof METHODS)[N]['fields'];

type TypeOf<T> = T extends FieldType ? FieldTypes[T] : never;

/**
 * The arguments of a method, `MethodArguments<'basic.ack'>` being `{ deliveryTag: number; multiple:
 * boolean }`.
 */
export type MethodArguments<N extends MethodName> = {
  -readonly [F in keyof Fields<N>]: TypeOf<Fields<N>[F]>;
};

/**
 * The arguments as `encodeMethod` takes them: the reserved `ticket` may be left out and is then 0.
 */
export type MethodInput<N extends MethodName> = Readonly<
  Omit<MethodArguments<N>, 'ticket'> & { ticket?: number }
>;

/** Any method as it was read; `name` tells which, and so the type of `args`. */
export type DecodedMethod = {
  [N in MethodName]: { readonly name: N; readonly args: Readonly<MethodArguments<N>> };
}[MethodName];
