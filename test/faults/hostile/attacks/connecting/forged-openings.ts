import { encodeFrame, frameType, protocolHeader } from '../../../../wire/frame.js';
import { encodeMethod, unsigned } from '../../../../wire/wire-codec.js';
import type { Attack, Scene } from '../../attack.js';
import { HostilePeer, methodFrame } from '../../hostile-peer.js';
import { deepTable, longTable, wideTable } from '../../tables.js';

const AT_A_TIME = 50;

/** What comes instead of a handshake: more than a handshake's frames may have, or nonsense. */
const OPENINGS: readonly Buffer[] = [
  ...[deepTable(100), deepTable(600), wideTable(3_000), wideTable(60_000), longTable(3_000)].map(
    (clientProperties) =>
      methodFrame(0, 'connection.start-ok', { clientProperties, mechanism: 'PLAIN' }),
  ),
  encodeFrame(frameType.method, 0, encodeMethod('connection.open', { virtualHost: '/' })),
  encodeFrame(frameType.method, 0, Buffer.alloc(0), { size: 0xffff_ffff }),
  encodeFrame(frameType.body, 7, Buffer.alloc(4_000)),
  Buffer.concat([Buffer.from([0, 10, 0, 11]), unsigned(4, 0xffff_fff0)]),
  Buffer.alloc(65_536, 0xce),
];

/** Connections that try to get in with forged frames. */
export const forgedOpenings: Attack = {
  name: 'forged handshakes',
  refusals: [501, 502, 503, 504, 505],
  run: async (scene) => {
    await Promise.all(Array.from({ length: AT_A_TIME }, (_, number) => forge(scene, number)));
  },
};

async function forge(scene: Scene, number: number): Promise<void> {
  for (; !scene.isOver; number++) {
    const peer = await HostilePeer.connect(scene);
    const started = peer.expect('connection.start');
    peer.send(protocolHeader);
    await started;
    peer.send(OPENINGS[number % OPENINGS.length]!);
    scene.count('connections');
    // The broker lets them wait for seconds, and most of them do not.
    if (number % 8 === 0) await Promise.race([peer.ended, scene.over]);
    peer.cut();
  }
}
