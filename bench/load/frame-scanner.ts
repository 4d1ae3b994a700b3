import { FRAME_BODY, FRAME_HEADER, FRAME_METHOD } from '@leveret/amqp';

export const FRAME_HEADER_BYTES = 7;
export const FRAME_OVERHEAD_BYTES = 8;

const BASIC = 60;
const BASIC_DELIVER = 60;
const BASIC_ACK = 80;
const BASIC_NACK = 120;
const CHANNEL_CLOSE = 20 * 0x10000 + 40;
const CONNECTION_CLOSE = 10 * 0x10000 + 50;
const CONNECTION_CLOSE_OK = 10 * 0x10000 + 51;

/** Takes what a {@link FrameScanner} finds. Tags are the lower 32 bits: nobody runs that long. */
export interface FrameEvents {
  /** A delivery; its consumer tag, a short string, is at `consumerTagAt`. */
  deliver?(tag: number, redelivered: boolean, buffer: Buffer, consumerTagAt: number): void;
  header?(buffer: Buffer, start: number, end: number): void;
  body?(buffer: Buffer, start: number, end: number): void;
  /** The broker confirms, or with `isNack` refuses, what was published. */
  confirm?(tag: number, multiple: boolean, isNack: boolean): void;
  /** The broker agrees that the connection is closed: nothing follows. */
  closed?(): void;
}

/** Walks over frames by their lengths and looks at nothing that no row needs. */
export class FrameScanner {
  readonly #events: FrameEvents;
  #rest: Buffer | undefined;

  constructor(events: FrameEvents) {
    this.#events = events;
  }

  /** Keeps none of the chunk. Throws when the broker closes the channel or the connection. */
  take(chunk: Buffer): void {
    const buffer = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (buffer.length - at >= FRAME_HEADER_BYTES) {
      const next = at + FRAME_OVERHEAD_BYTES + buffer.readUInt32BE(at + 3);
      if (next > buffer.length) break;
      this.#frame(buffer[at]!, buffer, at + FRAME_HEADER_BYTES, next - 1);
      at = next;
    }
    this.#rest = at < buffer.length ? Buffer.from(buffer.subarray(at)) : undefined;
  }

  #frame(type: number, buffer: Buffer, start: number, end: number): void {
    if (type === FRAME_METHOD) this.#method(buffer, start, end);
    else if (type === FRAME_HEADER) this.#events.header?.(buffer, start, end);
    else if (type === FRAME_BODY) this.#events.body?.(buffer, start, end);
  }

  #method(buffer: Buffer, at: number, end: number): void {
    const id = buffer.readUInt32BE(at);
    if (id === BASIC * 0x10000 + BASIC_DELIVER) {
      // class, method, consumer tag, delivery tag (of which the lower half), redelivered
      const tagAt = at + 4 + 1 + buffer[at + 4]!;
      const redelivered = buffer[tagAt + 8] === 1;
      this.#events.deliver?.(buffer.readUInt32BE(tagAt + 4), redelivered, buffer, at + 4);
    } else if (id === BASIC * 0x10000 + BASIC_ACK || id === BASIC * 0x10000 + BASIC_NACK) {
      const isNack = (id & 0xffff) === BASIC_NACK;
      this.#events.confirm?.(buffer.readUInt32BE(at + 8), (buffer[at + 12]! & 1) === 1, isNack);
    } else if (id === CONNECTION_CLOSE_OK) {
      this.#events.closed?.();
    } else if (id === CHANNEL_CLOSE || id === CONNECTION_CLOSE) {
      const text = buffer.subarray(at + 7, Math.min(end, at + 7 + buffer[at + 6]!));
      throw new Error(`the broker closed: ${buffer.readUInt16BE(at + 4)} ${text}`);
    }
  }
}
