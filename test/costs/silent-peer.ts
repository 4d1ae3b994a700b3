import { Duplex } from 'node:stream';
import {
  encodeMethodFrame,
  type MethodInput,
  type MethodName,
  PROTOCOL_HEADER,
} from '@leveret/amqp';

const FRAME_OVERHEAD = 8;
const FRAME_MAX = 131_072;
const FRAME_METHOD = 1;
const DELIVER = 0x003c_003c;
const ACK = 0x003c_0050;

/**
 * The other end of a connection, made to cost next to nothing: it says what it is given to say,
 * waits for no answer, and of what the broker says it counts deliveries and confirms.
 */
export class SilentPeer extends Duplex {
  deliveries = 0;
  /** Answers to publishes; one may be for several. */
  confirms = 0;
  /** The frame that a write has ended in the middle of. */
  #rest: Buffer | undefined;

  constructor() {
    super({ highWaterMark: 1_048_576 });
  }

  /** Says everything up to an open channel 1. */
  greet(): void {
    this.push(PROTOCOL_HEADER);
    this.say(0, 'connection.start-ok', {
      clientProperties: new Map(),
      mechanism: 'PLAIN',
      response: '\0guest\0guest',
      locale: 'en_US',
    });
    this.say(0, 'connection.tune-ok', { channelMax: 1, frameMax: FRAME_MAX, heartbeat: 0 });
    this.say(0, 'connection.open', { virtualHost: '/', capabilities: '', insist: false });
    this.say(1, 'channel.open', { outOfBand: '' });
  }

  say<N extends MethodName>(channel: number, name: N, args: MethodInput<N>): void {
    this.push(encodeMethodFrame(channel, name, args));
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const buffer = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (buffer.length - at >= FRAME_OVERHEAD) {
      const end = at + FRAME_OVERHEAD + buffer.readUInt32BE(at + 3);
      if (end > buffer.length) break;
      if (buffer[at] === FRAME_METHOD) {
        const method = buffer.readUInt32BE(at + 7);
        if (method === DELIVER) this.deliveries++;
        else if (method === ACK) this.confirms++;
      }
      at = end;
    }
    // A copy: the buffer is the broker's, and is used again.
    this.#rest = at < buffer.length ? Buffer.from(buffer.subarray(at)) : undefined;
    done();
  }
}
