import type { Attack, Scene } from '../../attack.js';
import { HostilePeer, publishFrames } from '../../hostile-peer.js';
import { deepTable, longTable, wideTable } from '../../tables.js';

const CONNECTIONS = 8;

/** As large as a frame lets them be. */
const TABLES: readonly Buffer[] = [
  deepTable(60),
  deepTable(20_000),
  wideTable(120_000),
  longTable(120_000),
];

/** Tables that are deep, wide or long: as headers, which an exchange looks at, and as arguments. */
export const tables: Attack = {
  name: 'deep, wide and long tables',
  refusals: [406, 501],
  run: async (scene) => {
    await Promise.all(Array.from({ length: CONNECTIONS }, (_, number) => send(scene, number)));
  },
};

async function send(scene: Scene, number: number): Promise<void> {
  for (; !scene.isOver; number++) {
    const peer = await HostilePeer.open(scene);
    const table = TABLES[number % TABLES.length]!;
    const queue = await peer.ownQueue({ 'x-max-length': 1 });
    await peer.call(1, 'queue.bind', {
      queue,
      exchange: 'amq.headers',
      arguments: { x: 'y', 'x-match': 'any' },
    });
    for (let times = 0; times < 5 && peer.isOpen && !scene.isOver; times++) {
      const headers = publishFrames(1, { exchange: 'amq.headers' }, Buffer.of(1), {
        headers: table,
      });
      await peer.flood(headers);
      const declared = { queue: '', exclusive: true, arguments: table };
      await Promise.race([peer.call(1, 'queue.declare', declared), scene.over]);
      scene.count('tables', 2);
    }
    peer.cut();
  }
}
