import { setTimeout as delay } from 'node:timers/promises';
import { protocolHeader } from '../../../../wire/frame.js';
import type { Attack, Scene } from '../../attack.js';
import { HostilePeer, methodFrame } from '../../hostile-peer.js';

const CONNECTIONS = 1_000;

/** Everything a client says until it is in, were it to say it all. */
const HANDSHAKE = Buffer.concat([
  protocolHeader,
  methodFrame(0, 'connection.start-ok', { mechanism: 'PLAIN', response: '\0guest\0guest' }),
]);

/** Handshakes of one octet a second. */
export const slowLoris: Attack = {
  name: 'slow-loris handshakes',
  refusals: [],
  run: async (scene) => {
    const all = Array.from({ length: scene.many(CONNECTIONS) }, () => linger(scene));
    await Promise.all(all);
  },
};

async function linger(scene: Scene): Promise<void> {
  while (!scene.isOver) {
    const peer = await HostilePeer.connect(scene);
    scene.count('connections');
    for (const octet of HANDSHAKE) {
      peer.send(Buffer.of(octet));
      await Promise.race([delay(1_000), peer.ended, scene.over]);
      if (scene.isOver || !peer.isOpen) break;
    }
    if (!peer.isOpen) scene.count('given up on');
    peer.cut();
  }
}
