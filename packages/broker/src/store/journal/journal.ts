import type { Turn, TurnEnd } from '../../base/turn.js';
import type { Returned } from '../message-store.js';
import { Batch, Placements } from './batch.js';
import type { Chain, Placing, Storable } from './chain.js';
import type { JournalOptions } from './journal-file.js';
import { JournalFiles, type JournalFilesPorts, type JournalStart } from './journal-files.js';
import type { ReadMessage } from './journal-reader.js';
import { encodeSnapshot } from './snapshot.js';

/** Octets gathered and not yet written, above which publishers have to wait. */
const BEHIND_BYTES = 7_340_032;

/** After how long a read that has failed is tried again, in milliseconds. */
const RETRY_MILLISECONDS = 500;

/** What a journal needs of the world. */
export interface JournalPorts
  extends Pick<JournalFilesPorts, 'files' | 'clock' | 'logger' | 'random' | 'decode'> {
  readonly turn: Turn;
  /** The changes that make the topology what it is, for a file to begin with. */
  readonly topology: () => readonly unknown[];
}

/**
 * The one way to the disk: a log of operations, written in batches by one loop. What a turn of the
 * event loop asks for gathers in a batch while the one before is being written; confirms wait for
 * the batch that holds what they confirm. All of a batch is there after a crash, or nothing.
 */
export class Journal implements TurnEnd {
  readonly #ports: JournalPorts;
  readonly #files: JournalFiles;
  readonly #start: JournalStart;
  /** By chain. */
  readonly #stores = new Map<number, Chain>();
  #gathering = new Batch();
  #emptyBatches: Batch[] = [];
  /**
   * The message being placed, and where so far: it is written once, however many queues it is in.
   */
  #placing: Storable | undefined;
  #isPlacingTransient = false;
  readonly #placements = new Placements();
  readonly #removing: Chain[] = [];
  #appended: number;
  #durable: number;
  #waiting: { readonly operation: number; readonly then: () => void }[] = [];
  #waitingForRoom: (() => void)[] = [];
  /** A full file has lost its last message. */
  #hasDeadFiles = false;
  #isDeferred = false;
  /** Whether there is a file to write to. */
  #isOpen = false;
  #isRunning = false;
  #isOver = false;
  /** The broker is closing: what the disk does not take now is lost. */
  #isGivingUp = false;
  #idle: (() => void) | undefined;

  constructor(ports: JournalPorts, options: JournalOptions, start: JournalStart) {
    this.#ports = ports;
    this.#start = start;
    this.#appended = start.operations;
    this.#durable = start.operations;
    const filesPorts: JournalFilesPorts = {
      ...ports,
      snapshot: () => encodeSnapshot(ports.topology(), this.#stores.values()),
      takeGathered: () => this.#takeGathered(),
      foundRoom: () => this.#tellRoom(),
      findStore: (chain) => this.#stores.get(chain),
      place: (...args) => this.place(...args),
      settled: () => new Promise((resolve) => this.onDurable(resolve)),
      onRemovalsDurable: (then) => {
        this.tellRemoved();
        this.onDurable(then);
      },
    };
    this.#files = new JournalFiles(filesPorts, options, start);
  }

  /** How many operations there have been, and how many of them are on the disk. */
  get appended(): number {
    return this.#appended;
  }

  get durable(): number {
    return this.#durable;
  }

  /**
   * Whether publishers have to wait: the disk does not keep up, or says no, or there is no room for
   * another file, and what is left of this one is for consumers to drain the queues with.
   */
  get isBehind(): boolean {
    return this.isShort || this.#gathering.length > BEHIND_BYTES;
  }

  /** Whether the disk says no, or there is no room on it for another file. */
  get isShort(): boolean {
    return this.#files.isShort;
  }

  /**
   * Gives back files that little is left in. It happens by itself as files get full; but when
   * publishers have to wait for room, none does.
   */
  makeRoom(): void {
    if (this.#isOpen && !this.#isOver) this.#files.tidyUp();
  }

  /** Calls `then` once publishers need not wait any more; at once if they need not. */
  onRoom(then: () => void): void {
    if (this.isBehind) this.#waitingForRoom.push(then);
    else then();
  }

  /**
   * Begins this start's first file, with all that is known. What is asked for meanwhile, because
   * its time has come while the broker was not there, is written then.
   */
  async open(): Promise<void> {
    await this.#files.open(this.#start);
    this.#isOpen = true;
    await this.#run();
  }

  adopt(store: Chain): void {
    this.#stores.set(store.chain, store);
  }

  /** A queue has gone, and its chain with it. */
  closed(store: Chain): void {
    this.#stores.delete(store.chain);
  }

  /**
   * A message takes a position in a queue; it is written once with all the places it takes. A
   * transient one is written to make room in memory, and does not survive the broker.
   */
  place(message: Storable, store: Chain, position: number, placing: Placing): void {
    const { transient, expiresAt } = placing;
    if (this.#placing !== message || this.#isPlacingTransient !== transient) {
      this.#endPlacing();
      // It may be gone from all its queues before it is written.
      message.retain();
      this.#placing = message;
      this.#isPlacingTransient = transient;
      this.#appended++;
      this.#defer();
    }
    this.#placements.add(store, position, expiresAt);
  }

  remove(chain: number, from: number, count: number): void {
    this.#begin();
    this.#gathering.remove(chain, from, count);
  }

  /** A message has come back so often, and may have to wait. */
  returned(chain: number, position: number, returned: Returned): void {
    this.#begin();
    this.#gathering.returned(chain, position, returned);
  }

  reserve(chain: number, below: number): void {
    this.#begin();
    this.#gathering.reserve(chain, below);
  }

  topology(change: unknown): void {
    this.#begin();
    this.#gathering.topology(change);
  }

  /** A store has something removed to tell of, before the batch is written. */
  willRemove(store: Chain): void {
    this.#removing.push(store);
    this.#defer();
  }

  /** Has the stores tell what they have removed: from now on it counts as asked for. */
  tellRemoved(): void {
    for (const store of this.#removing) store.tellRemoved();
    this.#removing.length = 0;
  }

  /** A message's bytes in the journal are no longer needed. */
  released(location: number): void {
    if (location <= 0 || !this.#files.released(location)) return;
    this.#hasDeadFiles = true;
    this.#defer();
  }

  /** Calls `then` when everything asked for so far is on the disk; at once if it is. */
  onDurable(then: () => void): void {
    if (this.#durable >= this.#appended) then();
    else this.#waiting.push({ operation: this.#appended, then });
  }

  /**
   * Reads a piece of a file from a location on. `then` gets a function that makes messages of what
   * lies in the piece, undefined for what does not or is damaged, and is good until `then` returns;
   * or undefined if not even the first message is whole. A disk that says no is asked again:
   * nothing is lost by that. `bytes`: how much is worth reading.
   */
  readFrom(location: number, then: (read: ReadMessage | undefined) => void, bytes?: number): void {
    if (!this.#files.isWritten(location)) {
      this.onDurable(() => this.readFrom(location, then, bytes));
      return;
    }
    const { logger, clock } = this.#ports;
    const use = (read: ReadMessage | undefined): void => this.#tell(() => then(read));
    this.#files.read(location, use, bytes).catch((error: unknown) => {
      if (this.#isOver) return;
      logger.error('cannot read from the journal; it will be tried again', { error });
      clock.after(RETRY_MILLISECONDS, () => this.readFrom(location, then, bytes));
    });
  }

  endTurn(): void {
    this.#isDeferred = false;
    void this.#run();
  }

  /** Writes what is gathered, then lets go of the files. */
  async close(): Promise<void> {
    this.#isGivingUp = true;
    this.#files.giveUp();
    while (this.#isRunning || this.#hasWork()) {
      const idle = new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
      void this.#run();
      await idle;
    }
    this.#isOver = true;
    await this.#files.close();
  }

  #begin(): void {
    this.#endPlacing();
    this.#appended++;
    this.#defer();
  }

  #defer(): void {
    if (this.#isDeferred || this.#isRunning) return;
    this.#isDeferred = true;
    this.#ports.turn.defer(this);
  }

  #endPlacing(): void {
    const message = this.#placing;
    if (message === undefined) return;
    this.#placing = undefined;
    this.#gathering.publish(message, this.#placements, this.#isPlacingTransient);
    message.release();
    this.#placements.clear();
  }

  #hasWork(): boolean {
    if (this.#isOver) return false;
    return this.#placing !== undefined || this.#removing.length > 0 || !this.#gathering.isEmpty;
  }

  /** The loop: writes batch after batch for as long as there is anything to write. */
  async #run(): Promise<void> {
    if (this.#isRunning || !this.#isOpen) return;
    this.#isRunning = true;
    try {
      while (this.#hasWork()) {
        const batch = this.#takeGathered();
        this.#written(await this.#files.append(batch, this.#durable));
        if (this.#files.isFull) this.#written(await this.#files.turnOver());
        this.#tellRoom();
      }
    } catch (error) {
      // Nothing is promised any more: no confirm leaves from here on.
      this.#isOver = true;
      const { logger } = this.#ports;
      if (this.#isGivingUp) logger.warn('closing without what the disk would not take', { error });
      else logger.error('internal error: the journal ends here', { error });
    } finally {
      this.#isRunning = false;
      this.#gathering.shrink();
      for (const batch of this.#emptyBatches) batch.shrink();
      if (this.#hasDeadFiles) this.#freeFiles();
      this.#idle?.();
    }
  }

  /** What has been asked for since the last batch, for the next one. */
  #takeGathered(): Batch {
    this.#endPlacing();
    this.tellRemoved();
    const batch = this.#gathering;
    this.#gathering = this.#emptyBatches.pop() ?? new Batch();
    return batch;
  }

  #written(batches: readonly Batch[]): void {
    for (const batch of batches) {
      this.#durable += batch.count;
      batch.forEachPlacement((store, position) => store.settled(position));
      batch.clear();
      this.#emptyBatches.push(batch);
    }
    this.#tellDurable();
  }

  #freeFiles(): void {
    this.#hasDeadFiles = false;
    this.#files.freeFiles();
  }

  #tellRoom(): void {
    if (this.isBehind) return;
    const waiting = this.#waitingForRoom;
    this.#waitingForRoom = [];
    for (const then of waiting) this.#tell(then);
  }

  #tellDurable(): void {
    const { length } = this.#waiting;
    let due = 0;
    while (due < length && this.#waiting[due]!.operation <= this.#durable) due++;
    for (const { then } of this.#waiting.splice(0, due)) this.#tell(then);
  }

  /** A bug in whoever has waited is not the journal's, nor the others'. */
  #tell(then: () => void): void {
    try {
      then();
    } catch (error) {
      this.#ports.logger.error('internal error after waiting for the disk', { error });
    }
  }
}
