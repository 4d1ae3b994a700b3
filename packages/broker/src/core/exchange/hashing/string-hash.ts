/**
 * Spreads strings over the 32-bit numbers: FNV-1a, and the last step of MurmurHash3, so that
 * strings that differ in their last character only lie far apart too. The same string has the same
 * hash in every process.
 */
export function hashString(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return mix(hash);
}

/** Turns a 32-bit number into another, each bit of which depends on all of its bits. */
export function mix(number: number): number {
  let hash = number;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
