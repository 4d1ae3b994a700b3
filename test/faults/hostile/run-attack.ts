/**
 * A hostile peer in a process of its own, so that what it costs is not taken for the broker's:
 * `node run-attack.js <name> <port> <TLS port> <scale>`. Attacks until its parent says that it is
 * enough; tells when the first thing is done, and at the end what was. What counts is what the broker does about it, not who gets
 * the processor first: it runs at the lowest priority.
 */
import { once } from 'node:events';
import { setPriority } from 'node:os';
import type { AttackReport, Scene } from './attack.js';
import { attackNamed } from './attacks.js';

const [name = '', port, tlsPort, scale] = process.argv.slice(2);
setPriority(19);
const counts: Record<string, number> = {};
const refusals: Record<number, number> = {};
let isOver = false;
const over = once(process, 'message').then(() => {
  isOver = true;
});
const scene: Scene = {
  port: Number(port),
  tlsPort: Number(tlsPort),
  get isOver() {
    return isOver;
  },
  over,
  many: (count) => Math.max(1, Math.ceil(count * Number(scale))),
  count: (what, times = 1) => {
    if (Object.keys(counts).length === 0) process.send?.('begun');
    counts[what] = (counts[what] ?? 0) + times;
  },
  refused: (code) => {
    refusals[code] = (refusals[code] ?? 0) + 1;
  },
};
let failure: string | undefined;
try {
  await attackNamed(name).run(scene);
} catch (error) {
  failure = String(error instanceof Error ? error.stack : error);
}
await over;
const report: AttackReport = { counts, refusals, ...(failure === undefined ? {} : { failure }) };
process.send?.(report, () => process.exit(0));
