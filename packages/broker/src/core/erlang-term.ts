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

/** A string in double quotes, with Erlang's escapes. */
export function quote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** A field's value, strings as they are (`~ts`), everything else as a term (`~p`). */
export function formatFieldValue(field: FieldValue): string {
  return field.type === 'S' ? field.value : formatFieldTerm(field);
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
      return `[${[...field.value].map(formatEntry).join(',')}]`;
    default:
      return String(field.value);
  }
}

function formatTyped(field: FieldValue): string {
  return `{${fieldTypeName(field)},${formatFieldTerm(field)}}`;
}

function formatEntry([name, field]: readonly [string, FieldValue]): string {
  return `{${formatBinary(name)},${fieldTypeName(field)},${formatFieldTerm(field)}}`;
}

function isPrintable(wire: string): boolean {
  // Erlang prints Latin-1 characters as text too: 32..126 and 160..255, and the usual blanks.
  for (let i = 0; i < wire.length; i++) {
    const code = wire.charCodeAt(i);
    if (code < 32 || (code > 126 && code < 160)) return false;
  }
  return true;
}
