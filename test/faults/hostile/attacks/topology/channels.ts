import type { Attack } from '../../attack.js';
import { HostilePeer, methodFrame, publishFrames } from '../../hostile-peer.js';

const CHANNELS = 65_535;

/** As many channels as there can be on a connection: opened, used, and closed. */
export const channels: Attack = {
  name: '65,535 channels',
  refusals: [],
  broker: { channelsMax: CHANNELS },
  run: async (scene) => {
    while (!scene.isOver) {
      const peer = await HostilePeer.open(scene, { channelMax: CHANNELS });
      const last = scene.many(CHANNELS);
      let answers = 0;
      peer.onMethod = ({ name }) => {
        if (name === 'channel.open-ok') answers++;
      };
      await peer.floodEach(last - 1, (number) => openAndUse(number + 2));
      await peer.settled();
      scene.count('channels', answers + 1);
      await peer.close();
    }
  },
};

function openAndUse(channel: number): Buffer {
  return Buffer.concat([
    methodFrame(channel, 'channel.open'),
    methodFrame(channel, 'confirm.select', { nowait: true }),
    publishFrames(channel, { routingKey: 'nowhere' }, Buffer.alloc(10)),
  ]);
}
