/** How many free buffers are kept for later. */
const FREE_MAX = 64;

/** Buffers of one size, lent and given back: output is gathered in them all the time. */
export class BufferPool {
  readonly #bytes: number;
  readonly #free: Buffer[] = [];

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  readonly take = (): Buffer => this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#bytes);

  /**
   * Takes a buffer back. Whoever lent it must not touch it again, nor may anybody it was given to.
   */
  giveBack(buffer: Buffer): void {
    if (buffer.length === this.#bytes && this.#free.length < FREE_MAX) this.#free.push(buffer);
  }
}
