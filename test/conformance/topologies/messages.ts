import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { Content, RawConnection } from '../../wire/raw-connection.js';
import type { WireArguments } from '../../wire/wire-codec.js';

/** How long a message may take. A deadline, not a measure: it only ends a failed test. */
const DEADLINE_MILLISECONDS = 20_000;

/** The next message of a queue, as soon as there is one. */
export async function takeOne(raw: RawConnection, queue: string, noAck = true): Promise<Content> {
  const giveUp = Date.now() + DEADLINE_MILLISECONDS;
  for (;;) {
    const message = await raw.get(1, queue, noAck);
    if (message !== undefined) return message;
    assert.ok(Date.now() < giveUp, `no message in ${queue}`);
    await delay(10);
  }
}

/**
 * Publishes as the frameworks do, on channel 2, which is in confirm mode: persistent and mandatory,
 * and the confirm is awaited. It must not be returned.
 */
export async function sendConfirmed(
  raw: RawConnection,
  publish: WireArguments,
  body: Uint8Array | string,
  properties: WireArguments = {},
): Promise<void> {
  raw.publish(2, { mandatory: true, ...publish }, body, { deliveryMode: 2, ...properties });
  await raw.expectMethod('basic.ack', 2);
}

/** The bodies of so many messages that a consumer on channel 1 gets next. */
export async function deliveredBodies(raw: RawConnection, count: number): Promise<string[]> {
  const bodies: string[] = [];
  while (bodies.length < count) {
    bodies.push((await raw.expectContent('basic.deliver', 1)).body.toString());
  }
  return bodies;
}
