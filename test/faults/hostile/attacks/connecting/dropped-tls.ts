import type { Attack, Scene } from '../../attack.js';
import { HostilePeer } from '../../hostile-peer.js';

const AT_A_TIME = 32;

/** TLS handshakes in a row, dropped at their beginning or at their end. */
export const droppedTls: Attack = {
  name: 'TLS handshakes dropped',
  refusals: [],
  run: async (scene) => {
    await Promise.all(Array.from({ length: AT_A_TIME }, (_, number) => drop(scene, number)));
  },
};

async function drop(scene: Scene, number: number): Promise<void> {
  for (; !scene.isOver; number++) {
    const isSecure = number % 2 === 0;
    const peer = isSecure
      ? await HostilePeer.connectSecurely(scene)
      : await HostilePeer.connect(scene, scene.tlsPort);
    scene.count(isSecure ? 'handshakes' : 'beginnings');
    peer.send(Buffer.from('160301'));
    peer.cut();
  }
}
