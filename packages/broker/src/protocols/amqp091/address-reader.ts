/**
 * Reads where messages were published to: the exchange and the routing key, two short strings one
 * behind the other. Most messages repeat the address of the one before, whose strings are used
 * again then.
 */
export class AddressReader {
  exchange = '';
  routingKey = '';
  /** The address read last. No larger than it has to be, for there may be very many readers. */
  #last: Buffer = EMPTY;
  #lastBytes = -1;

  /** Reads `buffer[start, end)`, in which both strings are whole. */
  read(buffer: Buffer, start: number, end: number): void {
    if (this.#isLast(buffer, start, end)) return;
    const routingKeyStart = start + 1 + buffer[start]!;
    this.exchange = buffer.toString('latin1', start + 1, routingKeyStart);
    this.routingKey = buffer.toString('latin1', routingKeyStart + 1, end);
    const bytes = end - start;
    if (this.#last.length < bytes) this.#last = Buffer.allocUnsafeSlow(bytes);
    buffer.copy(this.#last, 0, start, end);
    this.#lastBytes = bytes;
  }

  #isLast(buffer: Buffer, start: number, end: number): boolean {
    const last = this.#last;
    if (end - start !== this.#lastBytes) return false;
    for (let i = 0, at = start; at < end; i++, at++) {
      if (last[i] !== buffer[at]) return false;
    }
    return true;
  }
}

const EMPTY = Buffer.alloc(0);
