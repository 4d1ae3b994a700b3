import type { Attack } from '../../attack.js';
import { raiseAlarm } from './alarm.js';

/** Messages nobody reads, in memory, until the alarm; over and over. */
export const memoryAlarm: Attack = {
  name: 'a publisher, until memory is low',
  refusals: [],
  broker: { memoryBytes: 67_108_864 },
  raisesAlarm: true,
  run: (scene) => raiseAlarm(scene, false),
};
