import type { Attack } from './attack.js';
import { droppedConnections } from './attacks/connecting/dropped-connections.js';
import { droppedTls } from './attacks/connecting/dropped-tls.js';
import { forgedFrames } from './attacks/connecting/forged-frames.js';
import { forgedOpenings } from './attacks/connecting/forged-openings.js';
import { halfOpenTls } from './attacks/connecting/half-open-tls.js';
import { loginFlood } from './attacks/connecting/login-flood.js';
import { slowLoris } from './attacks/connecting/slow-loris.js';
import { consumerLoop } from './attacks/messages/consumer-loop.js';
import { diskAlarm } from './attacks/messages/disk-alarm.js';
import { fanOut } from './attacks/messages/fan-out.js';
import { firehose } from './attacks/messages/firehose.js';
import { getFlood } from './attacks/messages/get-flood.js';
import { halfSent } from './attacks/messages/half-sent.js';
import { memoryAlarm } from './attacks/messages/memory-alarm.js';
import { neverReading } from './attacks/messages/never-reading.js';
import { requeueLoop } from './attacks/messages/requeue-loop.js';
import { transaction } from './attacks/messages/transaction.js';
import { unacknowledged } from './attacks/messages/unacknowledged.js';
import { bindings } from './attacks/topology/bindings.js';
import { channels } from './attacks/topology/channels.js';
import { declarations } from './attacks/topology/declarations.js';
import { headers } from './attacks/topology/headers.js';
import { policyPatterns } from './attacks/topology/policy-patterns.js';
import { tables } from './attacks/topology/tables.js';
import { topics } from './attacks/topology/topics.js';

/** All there are. */
export const ATTACKS: readonly Attack[] = [
  slowLoris,
  droppedConnections,
  halfOpenTls,
  droppedTls,
  loginFlood,
  forgedOpenings,
  forgedFrames,
  neverReading,
  firehose,
  fanOut,
  memoryAlarm,
  diskAlarm,
  halfSent,
  unacknowledged,
  transaction,
  requeueLoop,
  getFlood,
  consumerLoop,
  channels,
  declarations,
  bindings,
  topics,
  headers,
  tables,
  policyPatterns,
];

export function attackNamed(name: string): Attack {
  const attack = ATTACKS.find((each) => each.name === name);
  if (attack === undefined) throw new RangeError(`no attack '${name}'`);
  return attack;
}
