import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { FrameReader, type FrameSink, FrameWriter } from '@leveret/amqp';
import type { BufferPool } from '../../base/buffer-pool.js';
import { Slice } from '../../base/slices/slice.js';
import type { Slicer, TimeSlices } from '../../base/slices/time-slices.js';
import type { Turn, TurnEnd } from '../../base/turn.js';

/** What a transport tells whoever speaks over it. */
export interface TransportListener extends FrameSink {
  /** The octets that frames came in are used again: copy what is needed of them beyond now. */
  letGoOfChunk(): void;
  /** The turn ends: write what was held back for it, it is flushed next. */
  endTurn(): void;
  /** The peer has read so much that there is room for output again. */
  drained(): void;
  /** The peer is gone, or we are: nothing can be sent or received any more. */
  closed(): void;
  /** A bug has shown itself outside of a frame: says what there is to say, the stream ends next. */
  broken(error: unknown): void;
}

/** Takes the first octets, before there are frames; returns what it did not use, when done. */
export type HeaderReader = (chunk: Buffer) => Buffer | undefined;

/** What a transport shares with all others. */
export interface TransportPorts {
  readonly turn: Turn;
  readonly slices: TimeSlices;
  readonly pool: BufferPool;
  readonly outputBytesMax: number;
}

/**
 * The octets between a peer and us: cuts what comes into frames, gathers what goes into one write a
 * turn, and tells when the peer does not keep up. A peer whose frames take long is not read from
 * until all others have been.
 */
export class Transport implements TurnEnd, Slicer {
  readonly writer: FrameWriter;
  readonly #duplex: Duplex;
  readonly #turn: Turn;
  readonly #slices: TimeSlices;
  readonly #slice: Slice;
  readonly #pool: BufferPool;
  readonly #outputBytesMax: number;
  readonly #reader: FrameReader;
  /**
   * Whether a buffer that was written whole may be used again: only a plain socket lets go of it.
   */
  readonly #letsGo: boolean;
  #listener: TransportListener;
  #headerReader: HeaderReader | undefined;
  #deferred = false;
  #ended = false;
  #isClosed = false;
  /** Reasons for not reading: somebody waits, or the peer does not read our output. */
  #holds = 0;
  /** Whether the latter is one of them. */
  #isUnread = false;
  #isCorked = false;
  /** A bug that has shown itself in the middle of somebody else's business. */
  #fault: { readonly error: unknown } | undefined;
  /** The peer has not read what was sent: nothing that can wait should be written. */
  isCongested = false;
  /** Whether anything came since this was last set to false: for heartbeats. */
  hasReceived = false;

  constructor(
    duplex: Duplex,
    listener: TransportListener,
    headerReader: HeaderReader,
    ports: TransportPorts,
    payloadBytesMax: number,
  ) {
    this.#duplex = duplex;
    this.#listener = listener;
    this.#headerReader = headerReader;
    this.#turn = ports.turn;
    this.#slices = ports.slices;
    this.#slice = new Slice(ports.slices);
    this.#pool = ports.pool;
    this.#outputBytesMax = ports.outputBytesMax;
    this.#letsGo = duplex.constructor === Socket;
    // Output is gathered here, and goes in one write.
    if (duplex instanceof Socket) duplex.setNoDelay(true);
    this.#reader = new FrameReader(
      {
        frame: (type, channel, buffer, start, end) => {
          this.#listener.frame(type, channel, buffer, start, end);
          if (this.#slice.isOver()) this.#waitForTurn();
        },
        frameFault: (fault) => this.#listener.frameFault(fault),
      },
      payloadBytesMax,
    );
    this.writer = new FrameWriter((buffer, length) => this.#write(buffer, length), this.#pool.take);
    duplex.on('data', (chunk: Buffer) => this.guard(() => this.#receive(chunk)));
    duplex.on('drain', () => this.guard(() => this.#drain()));
    duplex.on('end', () => this.destroy());
    // The reason is of no use to anybody: whatever it is, 'close' follows.
    duplex.on('error', () => this.destroy());
    duplex.on('close', () => this.guard(() => this.#closed()));
  }

  /** Whether we have stopped reading from the peer, so that its silence means nothing. */
  get isPaused(): boolean {
    return this.#holds > 0;
  }

  /**
   * Stops taking frames, even from the chunk being read, until {@link resumeReading}; with `again`,
   * the one being handled comes once more then.
   */
  holdReading(again: boolean): void {
    this.#holds++;
    this.#reader.hold(again);
    this.#duplex.pause();
  }

  /** Undoes one {@link holdReading}. */
  resumeReading(): void {
    if (--this.#holds > 0 || this.#isClosed) return;
    this.guard(() => {
      this.#slice.begin();
      this.#reader.resume();
      this.#slice.end();
    });
    // It may have been held again by what it has read.
    if (!this.isPaused) this.#duplex.resume();
  }

  goOn(): void {
    this.resumeReading();
  }

  /** Lets somebody else take the frames and the news from now on. */
  handOver(listener: TransportListener): void {
    this.#listener = listener;
  }

  /** The largest payload let in from now on, in octets. */
  set payloadBytesMax(bytes: number) {
    this.#reader.payloadBytesMax = bytes;
  }

  /** Sends encoded frames with this turn's output. */
  send(frames: Buffer): void {
    this.writer.append(frames);
    this.defer();
  }

  /** Makes sure that the turn's end is told. Whoever writes to `writer` directly calls this. */
  defer(): void {
    if (this.#deferred) return;
    this.#deferred = true;
    this.#turn.defer(this);
  }

  endTurn(): void {
    this.#deferred = false;
    this.#endIfBroken();
    this.guard(() => {
      if (!this.#ended) this.#listener.endTurn();
      this.writer.flush();
    });
  }

  /** Ignores whatever the peer still sends. */
  stopReading(): void {
    this.#reader.stop();
  }

  /** Sends what is gathered, then ends the stream. */
  end(): void {
    if (this.#ended) return;
    this.writer.flush();
    this.#ended = true;
    this.#reader.stop();
    this.#duplex.end();
  }

  /** Cuts the stream off. Whoever has something for it is to keep it. */
  destroy(): void {
    this.isCongested = true;
    this.#ended = true;
    this.#reader.stop();
    this.#duplex.destroy();
  }

  /**
   * Does something for this stream alone: a bug that shows itself then reaches neither the process
   * nor whoever has called.
   */
  guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.broken(error);
    }
  }

  /**
   * A bug has shown itself here in the middle of somebody else's business, who goes on: this stream
   * is over when the turn ends.
   */
  brokenMeanwhile(error: unknown): void {
    this.#fault ??= { error };
    this.isCongested = true;
    this.defer();
  }

  /** A bug has shown itself: this stream is over. */
  broken(error: unknown): void {
    try {
      this.#listener.broken(error);
      this.end();
    } catch {
      // The bug once more, in the way out: it has been told of.
      this.destroy();
    }
  }

  #endIfBroken(): void {
    const fault = this.#fault;
    if (fault === undefined) return;
    this.#fault = undefined;
    this.broken(fault.error);
  }

  #receive(chunk: Buffer): void {
    this.hasReceived = true;
    if (this.#headerReader !== undefined) {
      const rest = this.#headerReader(chunk);
      if (rest === undefined) return;
      this.#headerReader = undefined;
      chunk = rest;
    }
    this.#slice.begin();
    this.#reader.push(chunk);
    this.#listener.letGoOfChunk();
    this.#slice.end();
  }

  /** Somebody who has to wait for something else lets others have their turn as it is. */
  #waitForTurn(): void {
    if (this.#holds > 0 || this.#ended) return;
    this.holdReading(false);
    this.#slices.wait(this);
  }

  #write(buffer: Buffer, length: number): void {
    if (this.#ended) return;
    const duplex = this.#duplex;
    if (!this.#letsGo) this.#corkForNow();
    const wantsMore = duplex.write(length === buffer.length ? buffer : buffer.subarray(0, length));
    if (this.#letsGo && duplex.writableLength === 0) this.#pool.giveBack(buffer);
    if (wantsMore) return;
    this.isCongested = true;
    // Deliveries stop by themselves; replies do not, so we stop taking what asks for them, even
    // from the chunk being read: a thousand basic.get fit into one.
    if (!this.#isUnread && duplex.writableLength > this.#outputBytesMax) {
      this.#isUnread = true;
      this.holdReading(false);
    }
  }

  /**
   * A stream inside this process hands its octets over within the write, and the answer would come
   * in the middle of whatever we are doing: it gets them when we are done.
   */
  #corkForNow(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.#duplex.cork();
    process.nextTick(() => {
      this.#isCorked = false;
      this.#duplex.uncork();
    });
  }

  #drain(): void {
    this.isCongested = false;
    if (this.#isUnread) {
      this.#isUnread = false;
      this.resumeReading();
    }
    this.#listener.drained();
  }

  #closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#ended = true;
    this.#reader.stop();
    this.#listener.closed();
  }
}
