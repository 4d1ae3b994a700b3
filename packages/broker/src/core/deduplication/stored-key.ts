import type { Storable } from '../../store/journal/chain.js';

/** Names this stored form in a journal; those of messages count up from 1. */
export const KEY_FORMAT = 255;

/**
 * A key of a window, as the journal keeps it: a tiny message in a chain of its own.
 *
 * ```text
 *   | expires at | key ...
 *     f64
 * ```
 */
export class StoredKey implements Storable {
  readonly format: number = KEY_FORMAT;
  readonly priority: number = 0;
  /** It has none. */
  readonly bodyBytes: number = 0;
  readonly key: string;
  /** Wall time in milliseconds; infinity for never. */
  readonly expiresAt: number;
  readonly persistent: boolean;

  constructor(key: string, expiresAt: number, persistent: boolean) {
    this.key = key;
    this.expiresAt = expiresAt;
    this.persistent = persistent;
  }

  /** From its stored form, `buffer[start, end)`. */
  static restore(buffer: Buffer, start: number, end: number): StoredKey {
    const key = buffer.toString('latin1', start + 8, end);
    return new StoredKey(key, buffer.readDoubleBE(start), true);
  }

  get storedBytes(): number {
    return 8 + this.key.length;
  }

  writeTo(buffer: Buffer, at: number): void {
    buffer.writeDoubleBE(this.expiresAt, at);
    buffer.write(this.key, at + 8, 'latin1');
  }

  /** It is garbage like any other object, and lies in no slab. */
  retain(): void {}

  release(): void {}
}
