import {
  ContentHeader,
  decodeTable,
  encodeBodyFrames,
  encodeContentHeaderFrame,
  encodeMethodFrame,
  encodeTable,
  FrameReader,
  FrameWriter,
  OUTPUT_BUFFER_BYTES,
  toFieldTable,
} from '@leveret/amqp';
import { bench, do_not_optimize, group } from 'mitata';

/** As many publishes as a chunk off a socket holds. */
const PUBLISHES = 500;
const FRAME_MAX = 131_072;
const FRAME_OVERHEAD = 8;
const FRAME_HEADER = 7;

const TABLE = encodeTable(
  toFieldTable({ 'x-match': 'all', shard: 's1', kind: 'new', tries: 3, nested: { a: [1, 2, 3] } }),
);

/** What a publisher sends to the default exchange. */
function publish(bodyBytes: number): Buffer {
  const address = { exchange: '', routingKey: 'orders', mandatory: false, immediate: false };
  return Buffer.concat([
    encodeMethodFrame(1, 'basic.publish', address),
    encodeContentHeaderFrame(1, bodyBytes, { deliveryMode: 2, messageId: '0123456789' }),
    ...encodeBodyFrames(1, Buffer.alloc(bodyBytes), FRAME_MAX),
  ]);
}

export function codec(): void {
  group('codec', () => {
    for (const bodyBytes of [16, 1_024]) {
      const chunk = Buffer.concat(Array.from({ length: PUBLISHES }, () => publish(bodyBytes)));
      let frames = 0;
      const sink = {
        frame: () => {
          frames++;
        },
        frameFault: () => {},
      };
      const reader = new FrameReader(sink, FRAME_MAX);
      bench(`cut a chunk of ${PUBLISHES} publishes of ${bodyBytes} octets into frames`, () => {
        reader.push(chunk);
        do_not_optimize(frames);
      });
    }
    const properties = encodeContentHeaderFrame(1, 16, {
      deliveryMode: 2,
      messageId: '0123456789',
    });
    const header = new ContentHeader();
    bench('look at a content header', () => {
      header.read(properties, FRAME_HEADER, properties.length - 1);
      do_not_optimize(header.bodyBytes);
    });
    bench('decode a table of five fields', () =>
      do_not_optimize(decodeTable(TABLE, 0, TABLE.length)),
    );
    const out = Buffer.allocUnsafe(OUTPUT_BUFFER_BYTES);
    const writer = new FrameWriter(
      () => {},
      () => out,
    );
    bench('room for a frame of 100 octets', () =>
      do_not_optimize(writer.reserve(100 + FRAME_OVERHEAD)),
    );
  });
}
