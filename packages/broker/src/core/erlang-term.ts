import { type FieldValue, fieldTypeName } from '@leveret/amqp';

/**
 * Values as RabbitMQ's error texts print them: some of its texts hold Erlang terms, and programs
 * match on them.
 */

/** Octets as Erlang prints a binary with `~p`: `<<"text">>` if all printable, else the numbers. */
export function formatBinary(wire: string): string {
  if (wire === '') return '<<>>';
  if (isPrintable(wire)) return `<<${quote(wire)}>>`;
  const octets: string[] = [];
  for (let i = 0; i < wire.length; i++) octets.push(String(wire.charCodeAt(i)));
  return `<<${octets.join(',')}>>`;
}

/** How Erlang writes the characters of a string that cannot stand for themselves. */
const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '"': '\\"',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\x1b': '\\e',
};

/** A string in double quotes, with Erlang's escapes. */
export function quote(text: string): string {
  return `"${Array.from(text, (character) => ESCAPES[character] ?? character).join('')}"`;
}

/** A field's value, strings and octets as they are (`~ts`), everything else as a term (`~p`). */
export function formatFieldValue(field: FieldValue): string {
  if (field.type === 'S') return field.value;
  return field.type === 'x' ? field.value.toString('latin1') : formatFieldTerm(field);
}

/** A field's value as a term (`~p`). */
export function formatFieldTerm(field: FieldValue): string {
  switch (field.type) {
    case 'S':
      return formatBinary(field.value);
    case 'x':
      return formatBinary(field.value.toString('latin1'));
    case 'V':
      return 'undefined';
    case 'f':
    case 'd':
      return Number.isInteger(field.value) ? field.value.toFixed(1) : String(field.value);
    case 'D':
      return `{${field.value.scale},${field.value.value}}`;
    case 'A':
      return `[${field.value.map(formatTyped).join(',')}]`;
    case 'F':
      return `[${[...field.value].map(formatFieldEntry).join(',')}]`;
    default:
      return String(field.value);
  }
}

function formatTyped(field: FieldValue): string {
  return `{${fieldTypeName(field)},${formatFieldTerm(field)}}`;
}

/** An entry of a table as a term: `{<<"name">>,type,value}`. */
export function formatFieldEntry([name, field]: readonly [string, FieldValue]): string {
  return `{${formatBinary(name)},${fieldTypeName(field)},${formatFieldTerm(field)}}`;
}

function isPrintable(wire: string): boolean {
  // Erlang prints Latin-1 characters as text too: 32..126 and 160..255, and what it can escape.
  for (const character of wire) {
    if (character in ESCAPES) continue;
    const code = character.charCodeAt(0);
    if (code < 32 || (code > 126 && code < 160)) return false;
  }
  return true;
}
