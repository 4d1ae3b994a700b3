import type { MessageKey } from './message-key.js';

/** Remembers which keys there have been, or are. */
export interface KeyMemory {
  /** How many keys are remembered. */
  readonly size: number;
  has(key: string): boolean;
  /**
   * Remembers the key of a message that has been taken. `position`: where it is in its queue, -1
   * if nowhere. `persistent`: whether the message survives the broker, and so should its key.
   */
  add(key: MessageKey, position: number, persistent: boolean): void;
  /** The message at a position has gone from its queue. */
  removed(position: number): void;
  /** Forgets everything. */
  end(): void;
}
