/** How many free buffers are kept for later, unless it is said otherwise. */
const KEPT_MAX = 64;

/** Buffers of one size, lent and given back: output is gathered in them all the time. */
export class BufferPool {
  readonly #bytes: number;
  readonly #keptMax: number;
  readonly #free: Buffer[] = [];

  constructor(bytes: number, keptMax: number = KEPT_MAX) {
    this.#bytes = bytes;
    this.#keptMax = keptMax;
  }

  readonly take = (): Buffer => this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#bytes);

  /**
   * Takes a buffer back. Whoever lent it must not touch it again, nor may anybody it was given to.
   */
  giveBack(buffer: Buffer): void {
    if (buffer.length === this.#bytes && this.#free.length < this.#keptMax) this.#free.push(buffer);
  }
}
