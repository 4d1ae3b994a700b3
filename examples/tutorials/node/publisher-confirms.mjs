// 8 Publisher confirms: three ways to know that the broker took what was published.
//
//   node publisher-confirms.mjs [count]
import { connect } from 'amqplib';

const count = Number(process.argv[2] ?? 1000);

const connection = await connect(process.env.AMQP_URL ?? 'amqp://localhost');

await measure('one by one', async (channel, queue) => {
  for (let i = 0; i < count; i++) {
    channel.sendToQueue(queue, Buffer.from(`message ${i}`));
    await channel.waitForConfirms();
  }
});

await measure('in batches of 100', async (channel, queue) => {
  for (let i = 0; i < count; i++) {
    channel.sendToQueue(queue, Buffer.from(`message ${i}`));
    if (i % 100 === 99) await channel.waitForConfirms();
  }
  await channel.waitForConfirms();
});

await measure('as they come', async (channel, queue) => {
  const outstanding = new Set();
  await new Promise((resolve, reject) => {
    for (let i = 0; i < count; i++) {
      outstanding.add(i);
      channel.sendToQueue(queue, Buffer.from(`message ${i}`), {}, (error) => {
        if (error) reject(error);
        outstanding.delete(i);
        if (outstanding.size === 0) resolve();
      });
    }
  });
});

await connection.close();

/** Runs one way on a channel and a queue of its own, and counts what arrived. */
async function measure(name, publishAll) {
  const channel = await connection.createConfirmChannel();
  const { queue } = await channel.assertQueue('', { exclusive: true });
  const start = performance.now();
  await publishAll(channel, queue);
  const milliseconds = Math.round(performance.now() - start);
  const { messageCount } = await channel.checkQueue(queue);
  console.log(`${messageCount} of ${count} confirmed ${name} in ${milliseconds} ms`);
  await channel.close();
}
