import { encodeFrame, frameType } from '../../../../wire/frame.js';
import { encodeContentHeader } from '../../../../wire/wire-codec.js';
import type { Attack, Scene } from '../../attack.js';
import { HostilePeer, methodFrame } from '../../hostile-peer.js';

const CONNECTIONS = 20;
const CHANNELS = 250;
const ANNOUNCED_BYTES = 100_000_000;
const SENT_BYTES = 10_000;

/** Thousands of messages of which the beginning is sent, and of some half a frame. */
export const halfSent: Attack = {
  name: 'messages half sent and left',
  refusals: [],
  run: async (scene) => {
    while (!scene.isOver) {
      const all = Array.from({ length: CONNECTIONS }, () => begin(scene));
      const peers = await Promise.all(all);
      await Promise.race([new Promise((resolve) => setTimeout(resolve, 1_000)), scene.over]);
      for (const peer of peers) peer.cut();
    }
  },
};

async function begin(scene: Scene): Promise<HostilePeer> {
  const peer = await HostilePeer.open(scene);
  const channels = scene.many(CHANNELS) + 1;
  for (let channel = 2; channel <= channels; channel++) await peer.call(channel, 'channel.open');
  for (let channel = 1; channel <= channels; channel++) {
    const body = encodeFrame(frameType.body, channel, Buffer.alloc(SENT_BYTES));
    await peer.flood(
      Buffer.concat([
        methodFrame(channel, 'basic.publish', { routingKey: 'nowhere' }),
        encodeFrame(frameType.header, channel, encodeContentHeader(ANNOUNCED_BYTES, {})),
        body,
        // What comes behind half a frame is its other half, whatever it is.
        channel === channels ? body.subarray(0, SENT_BYTES / 2) : Buffer.alloc(0),
      ]),
    );
    scene.count('halves');
  }
  return peer;
}
