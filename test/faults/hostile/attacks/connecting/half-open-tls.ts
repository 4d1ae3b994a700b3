import type { Attack, Scene } from '../../attack.js';
import { HostilePeer } from '../../hostile-peer.js';

const CONNECTIONS = 1_000;

/** The first octets of a TLS ClientHello of 512, which are all that ever come. */
const HALF_HELLO = Buffer.from('1603010200010001fc0303', 'hex');

/** TLS handshakes that are begun and never gone on with. */
export const halfOpenTls: Attack = {
  name: 'half-open TLS',
  refusals: [],
  run: async (scene) => {
    const all = Array.from({ length: scene.many(CONNECTIONS) }, (_, i) => hang(scene, i));
    await Promise.all(all);
  },
};

async function hang(scene: Scene, number: number): Promise<void> {
  while (!scene.isOver) {
    const peer = await HostilePeer.connect(scene, scene.tlsPort);
    scene.count('connections');
    peer.send(HALF_HELLO.subarray(0, number % (HALF_HELLO.length + 1)));
    await Promise.race([peer.ended, scene.over]);
    if (!peer.isOpen) scene.count('given up on');
    peer.cut();
  }
}
