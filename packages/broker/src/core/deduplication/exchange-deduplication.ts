import type { Message } from '../message.js';
import { hasDied, type MessageKey, messageKey } from './message-key.js';
import type { ExchangeDeduplicationSettings } from './settings.js';
import type { DeduplicationWindow } from './window.js';

/**
 * Keeps duplicates from going any further than an exchange: the exchange type
 * `x-message-deduplication`, or the argument of that name.
 */
export class ExchangeDeduplication {
  #duplicates = 0;
  readonly #keptOut: () => void;
  readonly #window: DeduplicationWindow;
  #settings: ExchangeDeduplicationSettings;

  /** `keptOut` is told of each duplicate. */
  constructor(
    settings: ExchangeDeduplicationSettings,
    window: DeduplicationWindow,
    keptOut: () => void,
  ) {
    this.#keptOut = keptOut;
    this.#settings = settings;
    this.#window = window;
  }

  /** How many duplicates it has held back. */
  get duplicates(): number {
    return this.#duplicates;
  }

  get settings(): ExchangeDeduplicationSettings {
    return this.#settings;
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#window.size;
  }

  apply(settings: ExchangeDeduplicationSettings): void {
    this.#settings = settings;
    this.#window.apply(settings);
  }

  keyOf(message: Message): MessageKey | undefined {
    return messageKey(message, this.#settings);
  }

  /**
   * Whether a message with this key has been here. A dead letter is not held back: what it has
   * been through is not known, and this may be its way back.
   */
  isDuplicate(key: MessageKey): boolean {
    return this.#window.has(key.key) && !hasDied(key);
  }

  /** A duplicate has been held back. */
  keptOut(): void {
    this.#duplicates++;
    this.#keptOut();
  }

  /** A message that came by here has been taken. */
  taken(key: MessageKey, persistent: boolean): void {
    this.#window.add(key, -1, persistent);
  }

  async load(): Promise<void> {
    await this.#window.load();
  }

  end(): void {
    this.#window.end();
  }
}
