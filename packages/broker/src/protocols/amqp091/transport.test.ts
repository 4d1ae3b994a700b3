import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../base/until.test.support.js';
import { Transport } from './transport.js';
import {
  frameOf,
  newPair,
  newPorts,
  newTransport,
  OUTPUT_BYTES_MAX,
  RecordingListener,
  SlowDuplex,
} from './transport-world.test.support.js';

function bytesIn(chunks: readonly Buffer[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.length, 0);
}

test('a turn’s output leaves in one write, with what the turn’s end adds to it', async () => {
  const { transport, listener, received } = newPair();
  listener.onEndTurn = () => {
    if (listener.turns === 1) transport.send(Buffer.from('end'));
  };
  for (let i = 0; i < 100; i++) transport.send(Buffer.from('x'));
  await until(() => received.length > 0);
  assert.deepEqual(received, [Buffer.from(`${'x'.repeat(100)}end`)]);
  transport.send(Buffer.from('next'));
  await until(() => received.length > 1);
  assert.deepEqual(received[1], Buffer.from('next'));
});

test('much output leaves in order, and is not changed by what is written later', async () => {
  const { transport, received } = newPair();
  const pieces = Array.from({ length: 50 }, (_, i) => Buffer.alloc(10_000, i + 1));
  for (const piece of pieces) transport.send(piece);
  await until(() => bytesIn(received) === 500_000);
  transport.send(Buffer.alloc(60_000, 0xff));
  await until(() => bytesIn(received) === 560_000);
  assert.ok(
    Buffer.concat(received.slice(0, -1)).subarray(0, 500_000).equals(Buffer.concat(pieces)),
  );
});

test('frames are handed on as they come, after the header', async () => {
  const listener = new RecordingListener();
  const duplex = new SlowDuplex();
  const ports = { ...newPorts(), outputBytesMax: 1 };
  const headers: string[] = [];
  const readHeader = (chunk: Buffer): Buffer | undefined => {
    headers.push(chunk.toString());
    return headers.join('').length < 6 ? undefined : chunk.subarray(3);
  };
  const transport = new Transport(duplex, listener, readHeader, ports, 1_000);
  duplex.push('HEA');
  duplex.push(Buffer.concat([Buffer.from('DER'), frameOf('one'), frameOf('two').subarray(0, 5)]));
  duplex.push(frameOf('two').subarray(5));
  await until(() => listener.frames.length === 2);
  assert.deepEqual(listener.frames, ['one', 'two']);
  assert.equal(headers.length, 2);
  const next = new RecordingListener();
  transport.handOver(next);
  duplex.push(frameOf('three'));
  await until(() => next.frames.length === 1);
  assert.equal(listener.frames.length, 2);
});

test('a peer that does not read makes it congested, until it has read', async () => {
  const duplex = new SlowDuplex();
  const { transport, listener } = newTransport(duplex);
  transport.send(Buffer.alloc(100_000));
  await until(() => duplex.written.length === 1);
  assert.equal(transport.isCongested, true);
  assert.equal(transport.isPaused, false, 'as yet it only holds back what can wait');
  assert.equal(listener.drains, 0);
  while (duplex.finishWrite());
  await until(() => listener.drains === 1);
  assert.equal(transport.isCongested, false);
});

test('with very much output waiting it stops reading, until that has been read', async () => {
  const duplex = new SlowDuplex();
  const { transport, listener } = newTransport(duplex);
  duplex.push(frameOf('before'));
  await until(() => listener.frames.length === 1);
  transport.send(Buffer.alloc(OUTPUT_BYTES_MAX + 1));
  await until(() => transport.isPaused);
  duplex.push(frameOf('meanwhile'));
  await until(() => duplex.readableLength > 0);
  assert.deepEqual(listener.frames, ['before']);
  await until(() => {
    duplex.finishWrite();
    return listener.frames.length === 2;
  });
  assert.deepEqual(listener.frames, ['before', 'meanwhile']);
  assert.equal(transport.isPaused, false);
});

test('held as often as it is, it goes on when resumed as often', async () => {
  const { transport, listener, theirs } = newPair();
  listener.onFrame = (text) => {
    if (text !== 'hold') return;
    transport.holdReading(false);
    transport.holdReading(false);
  };
  theirs.write(Buffer.concat([frameOf('hold'), frameOf('later')]));
  await until(() => transport.isPaused);
  transport.resumeReading();
  assert.deepEqual(listener.frames, ['hold']);
  assert.equal(transport.isPaused, true);
  theirs.write(frameOf('last'));
  transport.resumeReading();
  await until(() => listener.frames.length === 3);
  assert.deepEqual(listener.frames, ['hold', 'later', 'last']);
});

test('a frame that was not done comes again', async () => {
  const { transport, listener, theirs } = newPair();
  listener.onFrame = () => {
    if (listener.frames.length === 1) transport.holdReading(true);
  };
  theirs.write(Buffer.concat([frameOf('one'), frameOf('two')]));
  await until(() => transport.isPaused);
  transport.resumeReading();
  assert.deepEqual(listener.frames, ['one', 'one', 'two']);
});

test('held and congested at once, it reads again when neither is the case', async () => {
  const duplex = new SlowDuplex();
  const { transport, listener } = newTransport(duplex);
  transport.holdReading(false);
  transport.send(Buffer.alloc(OUTPUT_BYTES_MAX + 1));
  await until(() => duplex.written.length > 0);
  duplex.push(frameOf('frame'));
  transport.resumeReading();
  await until(() => duplex.readableLength > 0);
  assert.deepEqual(listener.frames, [], 'still congested');
  await until(() => {
    duplex.finishWrite();
    return listener.frames.length === 1;
  });
});

test('however a stream ends, it is told once, and nothing comes or goes any more', async () => {
  const ends: ((pair: ReturnType<typeof newPair>) => void)[] = [
    ({ theirs }) => void theirs.end(),
    ({ ours }) => void ours.destroy(),
    ({ ours }) => void ours.destroy(new Error('reset')),
    ({ transport }) => transport.destroy(),
    ({ transport, theirs }) => {
      theirs.on('end', () => theirs.end());
      transport.end();
    },
  ];
  for (const end of ends) {
    const pair = newPair();
    const { transport, listener, theirs, received } = pair;
    theirs.write(frameOf('one'));
    await until(() => listener.frames.length === 1);
    end(pair);
    await until(() => listener.closes === 1);
    transport.send(Buffer.from('too late'));
    transport.end();
    transport.destroy();
    transport.resumeReading();
    assert.deepEqual(listener.frames, ['one']);
    assert.equal(listener.closes, 1);
    assert.equal(bytesIn(received), 0);
    assert.deepEqual(listener.errors, []);
  }
});

test('end() sends what has been gathered first', async () => {
  const { transport, theirs, listener, received } = newPair();
  theirs.on('end', () => theirs.end());
  transport.send(Buffer.from('farewell'));
  transport.end();
  theirs.write(frameOf('nobody reads this'));
  await until(() => listener.closes === 1);
  assert.deepEqual(Buffer.concat(received).toString(), 'farewell');
  assert.deepEqual(listener.frames, []);
});

test('a bug on one stream is told, and ends that stream alone', async () => {
  const bug = new Error('a bug');
  const throwing = (): never => {
    throw bug;
  };
  const inFrame = newPair();
  inFrame.listener.onFrame = throwing;
  inFrame.theirs.write(frameOf('x'));
  const inTurn = newPair();
  inTurn.listener.onEndTurn = throwing;
  inTurn.transport.send(Buffer.from('x'));
  // The peer is told the end, and agrees.
  for (const { theirs } of [inFrame, inTurn]) theirs.on('end', () => theirs.end());
  const other = newPair();
  other.transport.send(Buffer.from('x'));
  for (const { listener } of [inFrame, inTurn]) {
    await until(() => listener.closes === 1);
    assert.deepEqual(listener.errors, [bug]);
  }
  await until(() => other.received.length === 1);
  assert.equal(other.listener.closes, 0);
});

test('after stopReading() it still sends, and takes no frames', async () => {
  const { transport, listener, theirs, received } = newPair();
  transport.stopReading();
  theirs.write(frameOf('x'));
  transport.send(Buffer.from('y'));
  await until(() => received.length === 1);
  assert.deepEqual(listener.frames, []);
  assert.equal(listener.closes, 0);
});

test('a peer whose frames take long waits until the others have been read', async () => {
  let now = 0;
  const ports = newPorts({ now: () => now });
  const order: string[] = [];
  const duplexes = ['slow', 'quick'].map((name) => {
    const duplex = new SlowDuplex();
    const { listener } = newTransport(duplex, ports);
    listener.onFrame = (text) => {
      order.push(text);
      if (name === 'slow') now += 10;
    };
    return duplex;
  });
  duplexes[0]!.push(Buffer.concat([frameOf('slow 1'), frameOf('slow 2'), frameOf('slow 3')]));
  duplexes[1]!.push(Buffer.concat([frameOf('quick 1'), frameOf('quick 2')]));
  await until(() => order.length === 5);
  assert.deepEqual(order, ['slow 1', 'quick 1', 'quick 2', 'slow 2', 'slow 3']);
});
