import { Pattern, PatternError } from '../base/pattern.js';
import { Refusal } from '../core/refusal.js';

/** Names of which a rule remembers its answer. */
const ANSWERS_MAX = 1_000;

/**
 * A regular expression of a permission, and its answers so far. A permission that is changed gets
 * new rules, and so its old answers are gone.
 */
export class Rule {
  readonly #pattern: Pattern;
  readonly #answers = new Map<string, boolean>();

  /** An empty expression allows nothing, as in RabbitMQ. Throws a Refusal if it is none. */
  constructor(source: string) {
    try {
      this.#pattern = new Pattern(source === '' ? '^$' : source);
    } catch (error) {
      if (!(error instanceof PatternError)) throw error;
      const text = `invalid regular expression '${source}': {"${error.message}",${error.offset}}`;
      throw new Refusal('precondition-failed', text);
    }
  }

  allows(name: string): boolean {
    const known = this.#answers.get(name);
    if (known !== undefined) return known;
    const answer = this.#pattern.matches(name);
    if (this.#answers.size >= ANSWERS_MAX) this.#answers.clear();
    this.#answers.set(name, answer);
    return answer;
  }
}
