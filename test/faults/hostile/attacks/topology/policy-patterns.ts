import type { Attack } from '../../attack.js';
import { HostilePeer } from '../../hostile-peer.js';

/** Names that have a backtracking matcher try everything there is to try. */
const NAME = `${'a'.repeat(240)}!`;

/** Queues with names that are the worst that there are for the broker's policies. */
export const policyPatterns: Attack = {
  name: 'names that are hard for policies',
  refusals: [],
  broker: { policyPatterns: ['^(a+)+$', '^(a|aa)+$', '(.*a){12}b', '^(([a-z])+.)+[A-Z]$'] },
  run: async (scene) => {
    const peer = await HostilePeer.open(scene);
    for (let number = 0; !scene.isOver; number++) {
      const queue = `${NAME}${number % 100}`;
      const declared = await peer.call(1, 'queue.declare', { queue, exclusive: true });
      scene.count('queues', declared === undefined ? 0 : 1);
      await peer.call(1, 'queue.delete', { queue });
    }
    peer.cut();
  },
};
