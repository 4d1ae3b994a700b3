/**
 * Further routing keys of a message, from its headers CC and BCC, as they stand in a journal ahead
 * of what is stored of every message: one that dies after it has been read back goes by them, and
 * BCC is in no header any more.
 *
 * ```text
 *   | octets of the keys | length | key | ...
 *     u32                  u32
 * ```
 */
const LENGTH_BYTES = 4;

/** Octets that {@link writeKeys} writes. Keys are wire strings. */
export function storedKeysBytes(keys: readonly string[]): number {
  return keys.reduce((sum, key) => sum + LENGTH_BYTES + key.length, LENGTH_BYTES);
}

/** Returns where the keys end. */
export function writeKeys(keys: readonly string[], buffer: Buffer, start: number): number {
  let at = buffer.writeUInt32BE(storedKeysBytes(keys) - LENGTH_BYTES, start);
  for (const key of keys) {
    at = buffer.writeUInt32BE(key.length, at);
    at += buffer.write(key, at, 'latin1');
  }
  return at;
}

/** The keys that were written, and where they end. */
export function readKeys(
  buffer: Buffer,
  start: number,
): { readonly keys: readonly string[]; readonly end: number } {
  const end = start + LENGTH_BYTES + buffer.readUInt32BE(start);
  const keys: string[] = [];
  for (let at = start + LENGTH_BYTES; at < end; ) {
    const keyStart = at + LENGTH_BYTES;
    at = keyStart + buffer.readUInt32BE(at);
    keys.push(buffer.toString('latin1', keyStart, at));
  }
  return { keys, end };
}
