import type { Attack } from '../../attack.js';
import { raiseAlarm } from './alarm.js';

/** Messages nobody reads, on the disk, until the alarm; over and over. */
export const diskAlarm: Attack = {
  name: 'a publisher, until the disk is full',
  refusals: [],
  broker: { diskBytes: 201_326_592 },
  raisesAlarm: true,
  run: (scene) => raiseAlarm(scene, true),
};
