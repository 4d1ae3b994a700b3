import { Duplex, duplexPair } from 'node:stream';
import { type FrameFault, OUTPUT_BUFFER_BYTES } from '@leveret/amqp';
import { BufferPool } from '../../base/buffer-pool.js';
import type { Clock } from '../../base/clock.js';
import { TimeSlices } from '../../base/slices/time-slices.js';
import { Turn } from '../../base/turn.js';
import { Transport, type TransportListener, type TransportPorts } from './transport.js';

/** Output that may wait before a transport stops reading, in octets. */
export const OUTPUT_BYTES_MAX = 200_000;

/** Writes down what a transport tells it. */
export class RecordingListener implements TransportListener {
  readonly frames: string[] = [];
  readonly faults: FrameFault[] = [];
  readonly errors: unknown[] = [];
  turns = 0;
  drains = 0;
  closes = 0;
  onFrame: (text: string) => void = () => {};
  onEndTurn: () => void = () => {};

  frame(_type: number, _channel: number, buffer: Buffer, start: number, end: number): void {
    const text = buffer.toString('latin1', start, end);
    this.frames.push(text);
    this.onFrame(text);
  }

  frameFault(fault: FrameFault): void {
    this.faults.push(fault);
  }

  letGoOfChunk(): void {}

  endTurn(): void {
    this.turns++;
    this.onEndTurn();
  }

  drained(): void {
    this.drains++;
  }

  closed(): void {
    this.closes++;
  }

  broken(error: unknown): void {
    this.errors.push(error);
  }
}

/** A stream whose writes are done when it is told so, as those of a peer that does not read. */
export class SlowDuplex extends Duplex {
  readonly written: Buffer[] = [];
  #done: (() => void) | undefined;

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.written.push(chunk);
    this.#done = done;
  }

  /** Lets the write that is under way be done; false if there is none. */
  finishWrite(): boolean {
    const done = this.#done;
    this.#done = undefined;
    done?.();
    return done !== undefined;
  }
}

/** What transports share; in their own time, or in one that stands still. */
export function newPorts(clock: Pick<Clock, 'now'> = { now: () => 0 }): TransportPorts {
  const turn = new Turn();
  return {
    turn,
    slices: new TimeSlices(clock, turn),
    pool: new BufferPool(OUTPUT_BUFFER_BYTES),
    outputBytesMax: OUTPUT_BYTES_MAX,
  };
}

/** A transport that is past its protocol header, and who listens to it. */
export function newTransport(
  duplex: Duplex,
  ports: TransportPorts = newPorts(),
): {
  transport: Transport;
  listener: RecordingListener;
} {
  const listener = new RecordingListener();
  const transport = new Transport(duplex, listener, (chunk) => chunk, ports, 1_000);
  return { transport, listener };
}

/** A transport and the other end of its stream, with what has come out there. */
export function newPair(): {
  transport: Transport;
  listener: RecordingListener;
  theirs: Duplex;
  ours: Duplex;
  received: Buffer[];
} {
  const [ours, theirs] = duplexPair();
  const received: Buffer[] = [];
  theirs.on('data', (chunk: Buffer) => received.push(chunk));
  return { ...newTransport(ours), ours, theirs, received };
}

/** A frame with a text in it. */
export function frameOf(text: string): Buffer {
  const frame = Buffer.alloc(8 + text.length, 0xce);
  frame[0] = 1;
  frame.writeUInt16BE(1, 1);
  frame.writeUInt32BE(text.length, 3);
  frame.write(text, 7, 'latin1');
  return frame;
}
