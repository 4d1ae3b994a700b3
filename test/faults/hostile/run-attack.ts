/**
 * A hostile peer in a process of its own, so that what it costs is not taken for the broker's:
 * `node run-attack.js <name> <port> <TLS port> <scale>`. Attacks until its parent says that it is
 * enough; tells when the first thing is done, and at the end what was. What counts is what the
 * broker does about it, not who gets the processor first: it runs at the lowest priority.
 */
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { attackNamed } from './attacks.js';
import { RecordedScene } from './scene.js';

const [name = '', port, tlsPort, scale] = process.argv.slice(2);
setPriority(19);
const enough = once(process, 'message');
const stage = { port: Number(port), tlsPort: Number(tlsPort), scale: Number(scale) };
const scene = new RecordedScene(stage, enough, () => process.send?.('begun'));
let failure: unknown;
try {
  await attackNamed(name).run(scene);
} catch (error) {
  failure = error;
}
await scene.over;
process.send?.(scene.report(failure), () => process.exit(0));
