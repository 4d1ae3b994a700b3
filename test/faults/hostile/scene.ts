import type { AttackReport, Scene } from './attack.js';

/** Where it takes place, and how much of it. */
export interface Stage {
  readonly port: number;
  readonly tlsPort: number;
  /** Share of an attack's numbers: 1 for all. */
  readonly scale: number;
}

/** A scene that writes down what happens, until it is over. */
export class RecordedScene implements Scene {
  readonly port: number;
  readonly tlsPort: number;
  readonly over: Promise<void>;
  isOver = false;
  readonly #scale: number;
  readonly #counts: Record<string, number> = {};
  readonly #refusals: Record<number, number> = {};
  readonly #begun: () => void;
  #hasBegun = false;

  /** `begun` is called when the first thing has been counted. */
  constructor(stage: Stage, over: Promise<unknown>, begun: () => void) {
    this.port = stage.port;
    this.tlsPort = stage.tlsPort;
    this.#scale = stage.scale;
    this.#begun = begun;
    this.over = over.then(() => {
      this.isOver = true;
    });
  }

  many(count: number): number {
    return Math.max(1, Math.ceil(count * this.#scale));
  }

  count(what: string, times = 1): void {
    this.#counts[what] = (this.#counts[what] ?? 0) + times;
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    this.#begun();
  }

  refused(replyCode: number): void {
    this.#refusals[replyCode] = (this.#refusals[replyCode] ?? 0) + 1;
  }

  /** What has happened; `failure` is what ended the attack before its time, if anything did. */
  report(failure: unknown): AttackReport {
    const so = { counts: this.#counts, refusals: this.#refusals };
    if (failure === undefined) return so;
    return { ...so, failure: String(failure instanceof Error ? failure.stack : failure) };
  }
}
