import {
  encodeContentHeaderFrame,
  FRAME_BODY,
  FRAME_END,
  FRAME_HEADER_SIZE,
  FRAME_OVERHEAD,
  SHORTSTR_MAX_BYTES,
} from '@leveret/amqp';
import type { MessageParts } from '../../../core/ports.js';
import type { SlabAllocator } from '../../../store/slab.js';
import { AmqpMessage } from '../amqp-message.js';

/** Frames of this size fit every connection that has not asked for smaller ones. */
const FRAME_BYTES = 131_072;

/** A message of the broker's own, as the frames that a publisher would have sent. */
export function composeMessage(slabs: SlabAllocator, parts: MessageParts): AmqpMessage {
  const { exchange, properties, body } = parts;
  // A key with a name in it may be longer than a frame has room for.
  const routingKey = parts.routingKey.slice(0, SHORTSTR_MAX_BYTES);
  const address = Buffer.concat([shortString(exchange), shortString(routingKey)]);
  const header = encodeContentHeaderFrame(0, body.length, properties);
  const message = new AmqpMessage(slabs);
  message.exchange = exchange;
  message.routingKey = routingKey;
  message.persistent = properties.deliveryMode === 2;
  message.priority = properties.priority ?? 0;
  message.bodyBytes = body.length;
  message.buffer = Buffer.concat([address, header, ...bodyFrames(body)]);
  message.addressEnd = address.length;
  message.framesStart = address.length;
  message.framesEnd = message.buffer.length;
  return message;
}

function* bodyFrames(body: Buffer): Generator<Buffer> {
  const payloadMax = FRAME_BYTES - FRAME_OVERHEAD;
  for (let start = 0; start < body.length; start += payloadMax) {
    const payload = body.subarray(start, start + payloadMax);
    const frame = Buffer.alloc(FRAME_OVERHEAD + payload.length);
    frame[0] = FRAME_BODY;
    frame.writeUInt32BE(payload.length, 3);
    payload.copy(frame, FRAME_HEADER_SIZE);
    frame[frame.length - 1] = FRAME_END;
    yield frame;
  }
}

function shortString(wire: string): Buffer {
  return Buffer.concat([Buffer.from([wire.length]), Buffer.from(wire, 'latin1')]);
}
