import type { Logger } from '../base/logger.js';
import type { Turn, TurnEnd } from '../base/turn.js';
import type { PublishersWait } from '../core/ports.js';

/** What a broker can be short of. */
export type Resource = 'memory' | 'disk';

/**
 * The alarms of a broker, which RabbitMQ calls resource alarms: as long as there is one, publishers
 * wait and consumers go on, so that what there is too little of comes back.
 */
export class ResourceAlarms implements PublishersWait, TurnEnd {
  isRaised = false;
  readonly #turn: Turn;
  readonly #logger: Logger;
  readonly #short = new Set<Resource>();
  #waiting = new Set<() => void>();
  #isDeferred = false;

  constructor(turn: Turn, logger: Logger) {
    this.#turn = turn;
    this.#logger = logger;
  }

  get reason(): string {
    const resources = (['memory', 'disk'] as const).filter((each) => this.#short.has(each));
    return `low on ${resources.join(' & ')}`;
  }

  /** There is too little of a resource, or enough again; `state` says how much, for the log. */
  set(resource: Resource, isShort: boolean, state: Readonly<Record<string, number>>): void {
    if (isShort === this.#short.has(resource)) return;
    if (isShort) {
      this.#short.add(resource);
      this.isRaised = true;
      this.#logger.warn(`low on ${resource}: publishers wait, consumers go on`, state);
      return;
    }
    this.#short.delete(resource);
    this.#logger.warn(`enough ${resource} again`, state);
    if (this.#isDeferred || this.#short.size > 0) return;
    // Not at once: whoever has given something back is in the middle of something.
    this.#isDeferred = true;
    this.#turn.defer(this);
  }

  onCleared(then: () => void): void {
    this.#waiting.add(then);
  }

  forget(then: () => void): void {
    this.#waiting.delete(then);
  }

  endTurn(): void {
    this.#isDeferred = false;
    if (this.#short.size > 0) return;
    this.isRaised = false;
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const then of waiting) then();
  }
}
