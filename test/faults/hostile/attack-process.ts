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

  /** `scale`: how much of its numbers it does, 1 for all. */
  constructor(attack: Attack, broker: AttackedBroker, scale: number) {
    const args = [attack.name, String(broker.port), String(broker.tlsPort), String(scale)];
    this.#child = fork(SCRIPT, args);
    this.#report = Promise.race([
      once(this.#child, 'message').then(([report]) => report as AttackReport), // its only message
      once(this.#child, 'exit').then(([code, signal]) => {
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
