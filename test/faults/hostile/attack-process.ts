import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Attack, AttackReport } from './attack.js';
import type { AttackedBroker } from './attacked-broker.js';

const SCRIPT = fileURLToPath(new URL('./run-attack.js', import.meta.url));

/** How long an attack may take to let go. A deadline, not a measure. */
const DEADLINE_MILLISECONDS = 60_000;

/** An attack under way. */
export class AttackProcess {
  readonly #child: ChildProcess;
  readonly #report: Promise<AttackReport>;
  /** Resolves when it is under way, or has failed. */
  readonly begun: Promise<unknown>;

  /** `scale`: how much of its numbers it does, 1 for all. */
  constructor(attack: Attack, broker: AttackedBroker, scale: number) {
    const args = [attack.name, String(broker.port), String(broker.tlsPort), String(scale)];
    this.#child = fork(SCRIPT, args);
    const exited = once(this.#child, 'exit');
    this.begun = Promise.race([once(this.#child, 'message'), exited]);
    this.#report = Promise.race([
      new Promise<AttackReport>((resolve) => {
        this.#child.on('message', (message: 'begun' | AttackReport) => {
          if (message !== 'begun') resolve(message);
        });
      }),
      exited.then(([code, signal]) => {
        return { counts: {}, refusals: {}, failure: `ended with ${code ?? signal}` };
      }),
    ]);
  }

  /** Says that it is enough, and waits until it has let go. */
  async stop(): Promise<AttackReport> {
    const { connected } = this.#child;
    if (connected) this.#child.send('enough');
    const late = setTimeout(() => this.#child.kill('SIGKILL'), DEADLINE_MILLISECONDS);
    const report = await this.#report;
    clearTimeout(late);
    return report;
  }
}
