import type { Attack } from '../../attack.js';
import { HostilePeer, methodFrame, publishFrames } from '../../hostile-peer.js';

const BINDINGS = 50;
const WORDS = ['a', '*', '#'];
const PATTERN_WORDS = 12;

/** Binding keys that all lead on with every word, and routing keys as long as they get. */
export const topics: Attack = {
  name: 'topic patterns that branch',
  refusals: [],
  run: async (scene) => {
    const peer = await HostilePeer.open(scene);
    const queue = await peer.ownQueue({ 'x-max-length': 10 });
    await peer.floodEach(scene.many(BINDINGS), (number) => {
      const routingKey = patternOf(number);
      const args = { queue, exchange: 'amq.topic', routingKey, nowait: true };
      return methodFrame(1, 'queue.bind', args);
    });
    await peer.settled();
    for (let number = 0; !scene.isOver; number++) {
      const routingKey = `${'a.'.repeat(123)}${number}`;
      await peer.flood(publishFrames(1, { exchange: 'amq.topic', routingKey }, Buffer.alloc(1)));
      scene.count('messages');
    }
    peer.cut();
  },
};

/** A number's digits to base 3 as words. */
function patternOf(number: number): string {
  const words = Array.from({ length: PATTERN_WORDS }, (_, place) => {
    return WORDS[Math.floor(number / 3 ** place) % 3]!;
  });
  return `${words.join('.')}.end`;
}
