import { after } from 'node:test';
import { connect } from 'amqplib';
import type { BrokerUnderTest } from '../broker-under-test.js';

/**
 * Deletes what programs declared under names of their own, after the last test. A broker that
 * runs in this process takes it along when it goes.
 */
export function deleteAfterwards(
  broker: BrokerUnderTest,
  names: { readonly queues?: readonly string[]; readonly exchanges?: readonly string[] },
): void {
  if (broker.isOwn) return;
  after(async () => {
    const connection = await connect(broker.url);
    const channel = await connection.createChannel();
    // Deleting what is not there is fine.
    for (const queue of names.queues ?? []) await channel.deleteQueue(queue);
    for (const exchange of names.exchanges ?? []) await channel.deleteExchange(exchange);
    await connection.close();
  });
}
