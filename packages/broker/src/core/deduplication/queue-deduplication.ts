import type { Message } from '../message.js';
import { hasDied, type MessageKey, messageKey } from './message-key.js';
import { PresentKeys } from './present-keys.js';
import type { QueueDeduplicationSettings } from './settings.js';
import type { DeduplicationWindow } from './window.js';

/** Who wants to know of a queue's deduplication. */
export interface QueueDeduplicationPorts {
  /** A duplicate has been kept out. */
  keptOut(): void;
  /** The queue has gone. */
  ended(): void;
}

/** Keeps duplicates out of a queue: the argument `x-message-deduplication`. */
export class QueueDeduplication {
  #duplicates = 0;
  readonly #queue: string;
  #settings: QueueDeduplicationSettings;
  readonly #memory: PresentKeys | DeduplicationWindow;
  readonly #ports: QueueDeduplicationPorts;

  /** `queue` is its name. */
  constructor(
    queue: string,
    settings: QueueDeduplicationSettings,
    memory: PresentKeys | DeduplicationWindow,
    ports: QueueDeduplicationPorts,
  ) {
    this.#queue = queue;
    this.#settings = settings;
    this.#memory = memory;
    this.#ports = ports;
  }

  /** How many duplicates it has kept out. */
  get duplicates(): number {
    return this.#duplicates;
  }

  get settings(): QueueDeduplicationSettings {
    return this.#settings;
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#memory.size;
  }

  /** Whether it can go by these settings, or there must be another. */
  fits({ whilePresent }: QueueDeduplicationSettings): boolean {
    return this.#settings.whilePresent === whilePresent;
  }

  apply(settings: QueueDeduplicationSettings): void {
    this.#settings = settings;
    if (!(this.#memory instanceof PresentKeys)) this.#memory.apply(settings);
  }

  keyOf(message: Message): MessageKey | undefined {
    return messageKey(message, this.#settings);
  }

  /** Whether a message with this key has been here, and is not the same that comes back. */
  isDuplicate(key: MessageKey): boolean {
    return this.#memory.has(key.key) && !hasDied(key, this.#queue);
  }

  /** A duplicate has been kept out. */
  keptOut(): void {
    this.#duplicates++;
    this.#ports.keptOut();
  }

  /** The queue has taken a message; `position` is -1 if a consumer has it already, for good. */
  taken(key: MessageKey, position: number, persistent: boolean): void {
    this.#memory.add(key, position, persistent);
  }

  removed(position: number): void {
    this.#memory.removed(position);
  }

  /** Brings back the keys from before the broker started. */
  async load(): Promise<void> {
    await this.#memory.load(this.#settings);
  }

  end(): void {
    this.#memory.end();
    this.#ports.ended();
  }
}
