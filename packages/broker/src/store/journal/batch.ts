import { NumberList } from '../../base/lists/number-list.js';
import type { Returned } from '../message-store.js';
import type { Chain, MessageWriter } from './chain.js';
import { BATCH_HEADER_BYTES } from './journal-format.js';
import {
  BODY_BYTES_OFFSET,
  encodeReturned,
  FORMAT_OFFSET,
  PLACEMENT_BYTES,
  PRIORITY_OFFSET,
  PUBLISH,
  PUBLISH_HEADER_BYTES,
  publishHeadBytes,
  REMOVE,
  REMOVE_BYTES,
  RESERVE,
  RESERVE_BYTES,
  RETRY_BYTES,
  RETURNS_BYTES,
  STORED_BYTES_OFFSET,
  sealPublish,
  TOPOLOGY,
  TOPOLOGY_HEADER_BYTES,
  TRANSIENT,
} from './operations.js';

/** Queues that one publish operation has room for: its count is a u16. */
const PLACEMENTS_MAX = 65_535;

const FIRST_BYTES = 262_144;
/** A buffer that a large batch has grown beyond this is not kept when there is nothing to write. */
const KEEP_BYTES = 4_194_304;

/** Gathers operations for one write to the journal. */
export class Batch {
  #buffer: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #length = BATCH_HEADER_BYTES;
  /** Operations in it. */
  count = 0;
  /** Where each publish begins and ends. */
  readonly #publishStarts = new NumberList();
  readonly #publishEnds = new NumberList();
  readonly #placements = new Placements();
  /** Where the publish of each placement begins. */
  readonly #starts = new NumberList();

  get isEmpty(): boolean {
    return this.count === 0;
  }

  /** Octets, header included. */
  get length(): number {
    return this.#length;
  }

  /** The batch as it is to be written; its header is the journal's to fill in. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** The operations alone. */
  get payload(): Buffer {
    return this.#buffer.subarray(BATCH_HEADER_BYTES, this.#length);
  }

  /** Adds a publish; one into more queues than it has room for becomes several. */
  publish(message: MessageWriter, placements: Placements, transient: boolean): void {
    for (let from = 0; from < placements.count; from += PLACEMENTS_MAX) {
      const end = Math.min(from + PLACEMENTS_MAX, placements.count);
      this.#publish(message, placements, from, end, transient);
    }
    this.count++;
  }

  #publish(
    message: MessageWriter,
    placements: Placements,
    from: number,
    end: number,
    transient: boolean,
  ): void {
    const headBytes = publishHeadBytes(end - from);
    const at = this.#reserve(headBytes + message.storedBytes);
    const buffer = this.#buffer;
    buffer.fill(0, at, at + PUBLISH_HEADER_BYTES);
    buffer[at] = PUBLISH;
    buffer[at + 1] = transient ? TRANSIENT : 0;
    buffer[at + PRIORITY_OFFSET] = message.priority;
    buffer[at + FORMAT_OFFSET] = message.format;
    buffer.writeUInt16BE(end - from, at + 4);
    buffer.writeUInt32BE(message.bodyBytes, at + BODY_BYTES_OFFSET);
    buffer.writeUInt32BE(message.storedBytes, at + STORED_BYTES_OFFSET);
    let place = at + PUBLISH_HEADER_BYTES;
    for (let each = from; each < end; each++, place += PLACEMENT_BYTES) {
      const chain = placements.chain(each);
      const position = placements.position(each);
      const expiresAt = placements.expiresAt(each);
      buffer.writeDoubleBE(chain.chain, place);
      buffer.writeDoubleBE(position, place + 8);
      buffer.writeDoubleBE(expiresAt, place + 16);
      this.#placements.add(chain, position, expiresAt);
      this.#starts.push(at);
    }
    message.writeTo(buffer, at + headBytes);
    this.#publishStarts.push(at);
    this.#publishEnds.push(this.#length);
  }

  remove(chain: number, from: number, count: number): void {
    const at = this.#reserve(REMOVE_BYTES);
    this.#buffer[at] = REMOVE;
    this.#buffer.writeDoubleBE(chain, at + 1);
    this.#buffer.writeDoubleBE(from, at + 9);
    this.#buffer.writeUInt32BE(count, at + 17);
    this.count++;
  }

  returned(chain: number, position: number, returned: Returned): void {
    const at = this.#reserve(returned.retryAt > 0 ? RETRY_BYTES : RETURNS_BYTES);
    encodeReturned(this.#buffer, at, chain, position, returned);
    this.count++;
  }

  reserve(chain: number, below: number): void {
    const at = this.#reserve(RESERVE_BYTES);
    this.#buffer[at] = RESERVE;
    this.#buffer.writeDoubleBE(chain, at + 1);
    this.#buffer.writeDoubleBE(below, at + 9);
    this.count++;
  }

  topology(change: unknown): void {
    const json = Buffer.from(JSON.stringify(change), 'utf8');
    const at = this.#reserve(TOPOLOGY_HEADER_BYTES + json.length);
    this.#buffer[at] = TOPOLOGY;
    this.#buffer.writeUInt32BE(json.length, at + 1);
    json.copy(this.#buffer, at + TOPOLOGY_HEADER_BYTES);
    this.count++;
  }

  /**
   * Puts the checksums into the publishes: the file they go to is known now. The operations stand
   * in `target`, `shift` octets further on than here.
   */
  sealPublishes(target: Buffer, shift: number, seed: number): void {
    for (let i = 0; i < this.#publishStarts.length; i++) {
      const start = this.#publishStarts.at(i) + shift;
      sealPublish(target, start, this.#publishEnds.at(i) + shift, seed);
    }
  }

  /**
   * Calls `visit` for every placement, with the offset of its publish in the batch, and when it
   * expires.
   */
  forEachPlacement(
    visit: (store: Chain, position: number, offset: number, expiresAt: number) => void,
  ): void {
    const placements = this.#placements;
    for (let i = 0; i < placements.count; i++) {
      const expiresAt = placements.expiresAt(i);
      visit(placements.chain(i), placements.position(i), this.#starts.at(i), expiresAt);
    }
  }

  /** Gives back what a large batch has grown it to, if it is empty. */
  shrink(): void {
    if (!this.isEmpty || this.#buffer.length <= KEEP_BYTES) return;
    this.#buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  }

  /** Empties it for the next use, which is likely to be as large. */
  clear(): void {
    this.#length = BATCH_HEADER_BYTES;
    this.count = 0;
    this.#publishStarts.clear();
    this.#publishEnds.clear();
    this.#placements.clear();
    this.#starts.clear();
  }

  #reserve(bytes: number): number {
    const at = this.#length;
    if (at + bytes > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(at + bytes, 2 * this.#buffer.length));
      this.#buffer.copy(larger, 0, 0, at);
      this.#buffer = larger;
    }
    this.#length = at + bytes;
    return at;
  }
}

/** Which positions messages take, in which chains: a list that is filled and emptied a lot. */
export class Placements {
  readonly #chains: (Chain | undefined)[] = [];
  readonly #positions = new NumberList();
  readonly #expiries = new NumberList();

  get count(): number {
    return this.#positions.length;
  }

  /** `expiresAt`: milliseconds of wall time, 0 for never. */
  add(chain: Chain, position: number, expiresAt: number): void {
    this.#chains[this.count] = chain;
    this.#positions.push(position);
    this.#expiries.push(expiresAt);
  }

  chain(at: number): Chain {
    return this.#chains[at]!;
  }

  position(at: number): number {
    return this.#positions.at(at);
  }

  expiresAt(at: number): number {
    return this.#expiries.at(at);
  }

  clear(): void {
    // The array keeps its length, and with it its memory; what is gone must not be held by it.
    for (let at = 0; at < this.count; at++) this.#chains[at] = undefined;
    this.#positions.clear();
    this.#expiries.clear();
  }
}
