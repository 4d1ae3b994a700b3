import { setTimeout as delay } from 'node:timers/promises';
import { encodeFrame, frameType } from '../../../../wire/frame.js';
import { encodeContentHeader, encodeMethod } from '../../../../wire/wire-codec.js';
import type { Attack, Scene } from '../../attack.js';
import { HostilePeer, methodFrame } from '../../hostile-peer.js';
import { deepTable } from '../../tables.js';

const AT_A_TIME = 50;

/** How long the broker's answer is waited for. */
const PATIENCE_MILLISECONDS = 50;

const PUBLISH = encodeMethod('basic.publish', { routingKey: 'nowhere' });

/** One forged thing each. */
const FORGERIES: readonly Buffer[] = [
  encodeFrame(frameType.method, 1, PUBLISH, { end: 0xcd }),
  encodeFrame(frameType.body, 1, Buffer.alloc(100_000), { end: 0 }),
  encodeFrame(frameType.method, 1, PUBLISH, { size: 0xffff_ffff }),
  encodeFrame(frameType.method, 1, PUBLISH, { size: PUBLISH.length - 3 }),
  encodeFrame(42, 1, Buffer.alloc(10)),
  encodeFrame(frameType.method, 9, PUBLISH),
  encodeFrame(frameType.method, 0, PUBLISH),
  encodeFrame(frameType.header, 1, encodeContentHeader(10, {})),
  encodeFrame(frameType.body, 1, Buffer.alloc(1_000)),
  encodeFrame(frameType.method, 1, Buffer.from([0xff, 0xff, 0, 1])),
  encodeFrame(frameType.method, 1, Buffer.from([0, 60])),
  methodFrame(1, 'channel.open'),
  methodFrame(1, 'basic.deliver', {}),
  methodFrame(1, 'queue.declare', { arguments: deepTable(20_000) }),
  Buffer.concat([
    encodeFrame(frameType.method, 1, PUBLISH),
    encodeFrame(frameType.header, 1, encodeContentHeader(2n ** 64n - 1n, {})),
    encodeFrame(frameType.body, 1, Buffer.alloc(1_000)),
  ]),
  Buffer.concat([
    encodeFrame(frameType.method, 1, PUBLISH),
    encodeFrame(frameType.header, 1, encodeContentHeader(5, {})),
    encodeFrame(frameType.body, 1, Buffer.alloc(6)),
  ]),
];

/** Connections that log in and then forge one frame. */
export const forgedFrames: Attack = {
  name: 'forged frames',
  refusals: [406, 501, 502, 503, 504, 505, 540],
  run: async (scene) => {
    await Promise.all(Array.from({ length: AT_A_TIME }, (_, number) => forge(scene, number)));
  },
};

async function forge(scene: Scene, number: number): Promise<void> {
  for (; !scene.isOver; number++) {
    const peer = await HostilePeer.open(scene);
    peer.send(FORGERIES[number % FORGERIES.length]!);
    scene.count('connections');
    // Not each of them is the end of the connection.
    await Promise.race([peer.ended, delay(PATIENCE_MILLISECONDS), scene.over]);
    peer.cut();
  }
}
