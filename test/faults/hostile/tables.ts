import { longString, shortString } from '../../wire/wire-codec.js';

/** Octets of a table's content: so many tables, one in the other, under empty names. */
export function deepTable(levels: number): Buffer {
  const octets = Buffer.alloc(levels * 6);
  for (let level = 0; level < levels; level++) {
    octets.write('\0F', level * 6);
    octets.writeUInt32BE(octets.length - (level + 1) * 6, level * 6 + 2);
  }
  return octets;
}

/** About so many octets of a table's content: the smallest entries there are, void ones. */
export function wideTable(bytes: number): Buffer {
  const entries: Buffer[] = [];
  for (let length = 0, number = 0; length < bytes; number++) {
    const entry = Buffer.concat([shortString(number.toString(36)), Buffer.from('V')]);
    entries.push(entry);
    length += entry.length;
  }
  return Buffer.concat(entries);
}

/** A table's content with one string of so many octets. */
export function longTable(bytes: number): Buffer {
  return Buffer.concat([shortString('x'), Buffer.from('S'), longString(Buffer.alloc(bytes, 'x'))]);
}
