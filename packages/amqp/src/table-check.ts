import { DecodeError } from './errors.js';
import { TABLE_LIMITS } from './field-table.js';

/**
 * Walks over a field table to find its end, and to make sure that it can be decoded later, without
 * decoding it. One object serves every table: it runs on each publish with headers, and must not
 * allocate.
 */
export class TableCheck {
  /** Offset after the table that was walked last. */
  end = 0;
  /** Whether that table itself, not one inside it, has a field named CC or BCC. */
  hasSenderSelected = false;

  /** Walks the table at `buffer[start]`. Throws {@link DecodeError} if it cannot be decoded. */
  walk(buffer: Buffer, start: number, end: number): void {
    this.hasSenderSelected = false;
    this.end = walkTable(buffer, start, end, 1, this);
    if (this.end - start - 4 > TABLE_LIMITS.bytes) throw new DecodeError('field table is too long');
  }
}

function walkTable(
  buffer: Buffer,
  start: number,
  end: number,
  depth: number,
  check?: TableCheck,
): number {
  const tableEnd = endOfSized(buffer, start, end, depth);
  let at = start + 4;
  while (at < tableEnd) {
    const nameBytes = buffer[at]!;
    if (check !== undefined && isSenderSelected(buffer, at, nameBytes))
      check.hasSenderSelected = true;
    at = walkValue(buffer, at + 1 + nameBytes, tableEnd, depth);
  }
  if (at !== tableEnd) throw new DecodeError('field table does not end with its last field');
  return tableEnd;
}

function walkArray(buffer: Buffer, start: number, end: number, depth: number): number {
  const arrayEnd = endOfSized(buffer, start, end, depth);
  let at = start + 4;
  while (at < arrayEnd) at = walkValue(buffer, at, arrayEnd, depth);
  return arrayEnd;
}

function walkValue(buffer: Buffer, at: number, end: number, depth: number): number {
  if (at >= end) throw new DecodeError('field table ends before its last value');
  const after = afterValue(buffer, at + 1, end, buffer[at]!, depth);
  if (after > end) throw new DecodeError('field value is longer than its table');
  return after;
}

function afterValue(buffer: Buffer, at: number, end: number, type: number, depth: number): number {
  switch (type) {
    case 0x56: // V
      return at;
    case 0x74: // t
    case 0x62: // b
    case 0x42: // B
      return at + 1;
    case 0x73: // s
    case 0x75: // u
      return at + 2;
    case 0x49: // I
    case 0x69: // i
    case 0x66: // f
      return at + 4;
    case 0x44: // D
      return at + 5;
    case 0x6c: // l
    case 0x4c: // L
    case 0x64: // d
    case 0x54: // T
      return at + 8;
    case 0x53: // S
    case 0x78: // x
      return endOfSized(buffer, at, end, 0);
    case 0x46: // F
      return walkTable(buffer, at, end, depth + 1);
    case 0x41: // A
      return walkArray(buffer, at, end, depth + 1);
    default:
      throw new DecodeError(`unknown field type ${type}`);
  }
}

/** The end of what has a long length in front of it: a long string, a table, an array. */
function endOfSized(buffer: Buffer, at: number, end: number, depth: number): number {
  if (depth > TABLE_LIMITS.depth) throw new DecodeError('field table is nested too deeply');
  if (at + 4 > end) throw new DecodeError('field table ends inside a length');
  const after = at + 4 + buffer.readUInt32BE(at);
  if (after > end) throw new DecodeError('field table is longer than what holds it');
  return after;
}

/** Whether the field name whose length octet stands at `at` is CC or BCC. */
function isSenderSelected(buffer: Buffer, at: number, nameBytes: number): boolean {
  if (nameBytes !== 2 && nameBytes !== 3) return false;
  const endsCc = buffer[at + nameBytes - 1] === 0x43 && buffer[at + nameBytes] === 0x43;
  return endsCc && (nameBytes === 2 || buffer[at + 1] === 0x42);
}
