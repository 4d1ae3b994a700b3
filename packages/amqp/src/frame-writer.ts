/** How much output is gathered before it is handed on, in octets. */
export const OUTPUT_BUFFER_BYTES = 65_536;

/** Takes the octets a {@link FrameWriter} has gathered; the buffer is the taker's from then on. */
export type WriteOut = (buffer: Buffer, length: number) => void;

/** Gives a buffer of {@link OUTPUT_BUFFER_BYTES} to write into. */
export type TakeBuffer = () => Buffer;

/**
 * Gathers frames into one buffer, so that a turn's output leaves in one write. Whoever writes
 * reserves room, then fills `buffer` from the offset it was given.
 *
 * A writer that holds nothing holds no buffer either: an idle connection costs no output memory.
 */
export class FrameWriter {
  /** The buffer to fill. Valid until the next {@link reserve}. */
  buffer: Buffer = EMPTY;
  #length = 0;
  readonly #writeOut: WriteOut;
  readonly #takeBuffer: TakeBuffer;

  constructor(writeOut: WriteOut, takeBuffer: TakeBuffer) {
    this.#writeOut = writeOut;
    this.#takeBuffer = takeBuffer;
  }

  /** Octets gathered and not yet written out. */
  get length(): number {
    return this.#length;
  }

  /**
   * Makes room for `bytes` contiguous octets and returns where they begin in `buffer`. What was
   * gathered before is written out if the room left is too small. All of it must then be filled.
   */
  reserve(bytes: number): number {
    const offset = this.#length;
    if (offset + bytes <= this.buffer.length) {
      this.#length = offset + bytes;
      return offset;
    }
    this.flush();
    this.buffer = bytes > OUTPUT_BUFFER_BYTES ? Buffer.allocUnsafeSlow(bytes) : this.#takeBuffer();
    this.#length = bytes;
    return 0;
  }

  /** Copies octets that are already encoded. */
  append(bytes: Buffer): void {
    const offset = this.reserve(bytes.length);
    bytes.copy(this.buffer, offset);
  }

  /** Writes out what has been gathered. */
  flush(): void {
    if (this.#length === 0) return;
    const { buffer } = this;
    const length = this.#length;
    this.buffer = EMPTY;
    this.#length = 0;
    this.#writeOut(buffer, length);
  }
}

const EMPTY = Buffer.alloc(0);
