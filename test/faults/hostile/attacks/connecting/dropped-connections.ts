import { protocolHeader } from '../../../../wire/frame.js';
import type { Attack, Scene } from '../../attack.js';
import { HostilePeer, methodFrame } from '../../hostile-peer.js';

const CONNECTIONS = 10_000;
const AT_A_TIME = 250;

const START_OK = methodFrame(0, 'connection.start-ok', {
  mechanism: 'PLAIN',
  response: '\0guest\0guest',
});

/** How far each gets before it is dropped, in turn. */
const STAGES: readonly ((peer: HostilePeer) => Promise<unknown> | undefined)[] = [
  () => undefined,
  (peer) => void peer.send(protocolHeader.subarray(0, 4)),
  (peer) => void peer.send(protocolHeader),
  (peer) => {
    const started = peer.expect('connection.start');
    peer.send(protocolHeader);
    return started;
  },
  (peer) => void peer.send(Buffer.concat([protocolHeader, START_OK.subarray(0, 30)])),
  (peer) => void peer.send(Buffer.concat([protocolHeader, START_OK])),
];

/** Connections opened and dropped amid the handshake. */
export const droppedConnections: Attack = {
  name: 'connections dropped amid the handshake',
  refusals: [],
  run: async (scene) => {
    let left = scene.many(CONNECTIONS);
    const next = (): number => left--;
    await Promise.all(Array.from({ length: AT_A_TIME }, () => drop(scene, next)));
  },
};

async function drop(scene: Scene, next: () => number): Promise<void> {
  for (let number = next(); number > 0 && !scene.isOver; number = next()) {
    const peer = await HostilePeer.connect(scene);
    await STAGES[number % STAGES.length]!(peer);
    scene.count('connections');
    peer.cut();
  }
}
