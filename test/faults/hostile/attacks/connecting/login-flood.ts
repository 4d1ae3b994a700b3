import type { Attack, Scene } from '../../attack.js';
import { HostilePeer } from '../../hostile-peer.js';

const AT_A_TIME = 300;

/** Guesses at passwords, from many connections at once. */
export const loginFlood: Attack = {
  name: 'a login flood',
  refusals: [403],
  run: async (scene) => {
    await Promise.all(Array.from({ length: scene.many(AT_A_TIME) }, (_, i) => guess(scene, i)));
  },
};

async function guess(scene: Scene, number: number): Promise<void> {
  for (let guesses = 0; !scene.isOver; guesses++) {
    const peer = await HostilePeer.connect(scene);
    const user = number % 3 === 0 ? `user-${guesses}` : 'guest';
    scene.count('guesses');
    await Promise.race([peer.login({ user, password: `${number}-${guesses}` }), scene.over]);
    peer.cut();
  }
}
