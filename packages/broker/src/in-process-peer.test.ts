import assert from 'node:assert/strict';
import { duplexPair } from 'node:stream';
import { test } from 'node:test';
import { decodeMethod, FRAME_METHOD } from '@leveret/amqp';
import { Broker } from './broker.js';
import { publishFrames, RawPeer } from './protocols/amqp091/raw-peer.test.support.js';

/** A peer at the other end of a stream inside this process, where no network comes between. */
async function connect(broker: Broker): Promise<RawPeer> {
  const [theirs, ours] = duplexPair();
  broker.accept(theirs);
  const peer = new RawPeer(ours);
  await peer.handshake();
  await peer.openChannel(1);
  return peer;
}

test('a peer that answers while it is being written to gets its answers too', async () => {
  const count = 5_000;
  const broker = new Broker();
  const publisher = await connect(broker);
  const consumer = await connect(broker);
  await consumer.declareQueue(1, 'q');
  await consumer.consume(1, 'q', true);
  let delivered = 0;
  let answered = 0;
  const done = new Promise<void>((resolve) => {
    consumer.onFrame = ({ type, payload }) => {
      if (type !== FRAME_METHOD) return;
      const { name } = decodeMethod(payload, 0, payload.length);
      // Sent from inside the broker's write, so it comes in the middle of the broker's next one.
      if (name === 'basic.deliver') {
        delivered++;
        consumer.sendDeclare(1, 'q', true);
      } else {
        assert.equal(name, 'queue.declare-ok');
        answered++;
      }
      if (delivered === count && answered === count) resolve();
    };
  });
  const body = Buffer.alloc(100);
  const publish = publishFrames({ channel: 1, routingKey: 'q', body });
  publisher.duplex.write(Buffer.concat(Array.from({ length: count }, () => publish)));
  await done;
  consumer.onFrame = undefined;
  await Promise.all([publisher.close(), consumer.close()]);
  await broker.close();
});
