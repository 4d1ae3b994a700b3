import { Turn } from '../base/turn.js';
import { FreeSlabs, SLAB_BYTES, type Slab } from './free-slabs.js';

/** What is larger gets memory of its own: it would waste the end of a slab. */
const OWN_BUFFER_BYTES = 8_192;

/** Somebody who wants to know when there are more messages in memory than there should be. */
export interface MemoryWatch {
  /** Octets of messages that are too many. */
  readonly bytesMax: number;
  /** How many messages are too many: each is an object, too. */
  readonly messagesMax: number;
  /** There are too many now, or by a tenth fewer than may be. */
  crossed(isTooMuch: boolean): void;
}

/** At what share of the maximum there is room again. */
const ROOM_AGAIN = 0.9;

/**
 * Memory for the bytes of kept messages, handed out front to back. A slab is free as soon as
 * nothing in it is alive any more; the garbage collector sees one object for many messages. What
 * is given back stays as it is until the turn ends.
 */
export class SlabAllocator {
  readonly #free: FreeSlabs;
  #current: Slab;
  #used = 0;
  #heldBytes = 0;
  #liveBytes = 0;
  #liveMessages = 0;
  #watch: MemoryWatch | undefined;
  #bytesMax = Number.POSITIVE_INFINITY;
  #messagesMax = Number.POSITIVE_INFINITY;
  #isTooMuch = false;
  /** Where the range last allocated begins, in its slab's buffer. */
  offset = 0;

  constructor(turn: Turn = new Turn()) {
    this.#free = new FreeSlabs(turn);
    this.#current = this.#free.take();
  }

  /** Octets that live messages use. */
  get liveBytes(): number {
    return this.#liveBytes;
  }

  /** How many ranges there are that have not been given back. */
  get liveMessages(): number {
    return this.#liveMessages;
  }

  /** Has somebody told from now on, and at once if there are too many. */
  watch(watch: MemoryWatch): void {
    this.#watch = watch;
    this.#bytesMax = watch.bytesMax;
    this.#messagesMax = watch.messagesMax;
    if (this.#isTooMuch) this.#lookForRoom();
    else if (this.#isFull) this.#full();
  }

  get #isFull(): boolean {
    return this.#liveBytes >= this.#bytesMax || this.#liveMessages >= this.#messagesMax;
  }

  /** Octets of the slabs that anything alive keeps from being freed. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Whether so much memory is held by so little that a sweep is worth it. */
  get isSparse(): boolean {
    return this.#heldBytes > 4 * this.#liveBytes + 64 * 1024 * 1024;
  }

  /** Finds room for `bytes` octets: in the slab returned, from {@link offset} on. */
  allocate(bytes: number): Slab {
    this.#liveBytes += bytes;
    this.#liveMessages++;
    if (this.#isFull) this.#full();
    if (bytes > OWN_BUFFER_BYTES) {
      this.offset = 0;
      this.#heldBytes += bytes;
      return { buffer: Buffer.allocUnsafeSlow(bytes), liveBytes: bytes };
    }
    if (this.#used + bytes > SLAB_BYTES) {
      const full = this.#current;
      this.#current = this.#free.take();
      this.#used = 0;
      if (full.liveBytes === 0) this.#free.giveBack(full);
    }
    const slab = this.#current;
    if (slab.liveBytes === 0) this.#heldBytes += SLAB_BYTES;
    slab.liveBytes += bytes;
    this.offset = this.#used;
    this.#used += bytes;
    return slab;
  }

  /** Counts memory in that is not a slab's, for a message that is on its way; out if negative. */
  count(bytes: number): void {
    this.#liveBytes += bytes;
    this.#heldBytes += bytes;
    if (bytes > 0 && this.#isFull) this.#full();
    if (this.#isTooMuch) this.#lookForRoom();
  }

  /** Gives back what {@link allocate} gave. */
  release(slab: Slab, bytes: number): void {
    slab.liveBytes -= bytes;
    this.#liveBytes -= bytes;
    this.#liveMessages--;
    if (slab.liveBytes === 0) this.#emptied(slab);
    if (this.#isTooMuch) this.#lookForRoom();
  }

  #emptied(slab: Slab): void {
    const { length } = slab.buffer;
    this.#heldBytes -= length;
    if (length === SLAB_BYTES && slab !== this.#current) this.#free.giveBack(slab);
  }

  #full(): void {
    if (this.#isTooMuch) return;
    this.#isTooMuch = true;
    this.#watch?.crossed(true);
  }

  #lookForRoom(): void {
    if (this.#liveBytes >= this.#bytesMax * ROOM_AGAIN) return;
    if (this.#liveMessages >= this.#messagesMax * ROOM_AGAIN) return;
    this.#isTooMuch = false;
    this.#watch?.crossed(false);
  }

  /** Whether moving what is alive in a slab elsewhere would free most of it. */
  isMostlyDead(slab: Slab): boolean {
    return slab !== this.#current && slab.liveBytes * 4 < slab.buffer.length;
  }
}
