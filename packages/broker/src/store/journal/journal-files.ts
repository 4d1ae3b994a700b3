import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import type { Random } from '../../base/random.js';
import type { DiskFile, Files } from '../disk/files.js';
import type { Batch } from './batch.js';
import type { Chain, Placing, Storable } from './chain.js';
import { Cleaner } from './cleaner.js';
import { Disposal, type DisposalPorts } from './disposal.js';
import { FileIndexBuilder, writeFileIndex } from './file-index.js';
import { IntervalSync } from './interval-sync.js';
import {
  type JournalFile,
  type JournalOptions,
  journalFileName,
  locationOf,
  newJournalFile,
  offsetOf,
  SLOTS_MAX,
  slotOf,
} from './journal-file.js';
import {
  BATCH_HEADER_BYTES,
  BATCHES_OFFSET,
  encodeFileHeader,
  SECOND_HEADER_OFFSET,
  sealBatch,
} from './journal-format.js';
import { type DecodeMessage, JournalReader, type ReadMessage } from './journal-reader.js';
import type { Recovered } from './recovery/recovery.js';
import { RetryPause } from './retry-pause.js';
import type { Snapshot } from './snapshot.js';
import { SpareFile } from './spare-file.js';

/** What was found on the disk, for a journal to go on from. */
export type JournalStart = Omit<Recovered, 'topology' | 'chains'>;

/** What the files need of the world, and of the journal. */
export interface JournalFilesPorts {
  readonly files: Files;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Random;
  readonly decode: DecodeMessage;
  /** Everything but the messages, as it is now: what a file begins with. */
  readonly snapshot: () => Buffer;
  /** Takes what has been gathered for the next batch. */
  readonly takeGathered: () => Batch;
  /** There may be room again after there was none. */
  readonly foundRoom: () => void;
  /** Calls `then` when what has been removed from queues so far is gone from the disk too. */
  readonly onRemovalsDurable: (then: () => void) => void;
  readonly findStore: (chain: number) => Chain | undefined;
  /** Writes a message again, for the position it has; `settled` when such are on the disk. */
  readonly place: (message: Storable, store: Chain, position: number, placing: Placing) => void;
  readonly settled: () => Promise<void>;
}

/** The file being written. */
interface CurrentFile {
  readonly file: JournalFile;
  readonly disk: DiskFile;
  readonly index: FileIndexBuilder;
  /** How many have been written to it, behind the one that it begins with. */
  batches: number;
  /** At how many octets it is full: more than a file's, if it has begun with a large snapshot. */
  readonly fullBytes: number;
}

/** The files of a journal: where batches go, what is full, what is no longer needed. */
export class JournalFiles {
  readonly #ports: JournalFilesPorts;
  readonly #options: JournalOptions;
  readonly #epoch: number;
  /** By slot. */
  readonly #files = new Map<number, JournalFile>();
  readonly #spare: SpareFile;
  readonly #reader: JournalReader;
  readonly #cleaner: Cleaner;
  readonly #disposal: Disposal;
  #nextNumber: number;
  #lastSlot: number;
  #current: CurrentFile | undefined;
  /** The file that is being begun, and will be the current one. */
  #beginning: JournalFile | undefined;
  /** What the next file begins with: the current one is full. */
  #next: Snapshot | undefined;
  #isFailing = false;
  /** Until what could not be written is tried again. */
  readonly #pause: RetryPause;
  #isClosing = false;
  readonly #intervalSync: IntervalSync;

  constructor(ports: JournalFilesPorts, options: JournalOptions, start: JournalStart) {
    this.#ports = ports;
    this.#options = options;
    this.#epoch = start.epoch;
    this.#pause = new RetryPause(ports.clock);
    this.#nextNumber = start.nextFileNumber;
    for (const file of start.files) this.#files.set(file.slot, file);
    this.#lastSlot = start.files.length;
    this.#spare = new SpareFile(options, ports, ports.foundRoom);
    this.#reader = new JournalReader(ports.files, ports.decode);
    this.#cleaner = new Cleaner({ ...ports, reader: this.#reader });
    const sync = (): Promise<void> => this.#current?.disk.sync() ?? Promise.resolve();
    this.#intervalSync = new IntervalSync(options.sync, ports, sync);
    const disposalPorts: DisposalPorts = {
      ...ports,
      // What is being begun is synced by whoever begins it.
      needed: () => [...this.#files.values()].filter((file) => file !== this.#beginning),
      isFull: (file) => file !== this.#current?.file,
      gone: (file) => void this.#giveUpReading(file),
    };
    this.#disposal = new Disposal(disposalPorts, options, this.#spare);
  }

  /** Whether there is no room for another file, or a write has failed and not yet worked again. */
  get isShort(): boolean {
    return this.#isFailing || this.#spare.isMissing;
  }

  /** Whether the current file is full, and {@link turnOver} is due. */
  get isFull(): boolean {
    return this.#next !== undefined;
  }

  /** Begins a start's first file, with everything that is known. */
  async open({ operations, indexes, leftovers }: JournalStart): Promise<void> {
    const { files } = this.#ports;
    await this.#begin({ payload: this.#ports.snapshot(), operations }, [], operations);
    await files.syncDirectory(this.#options.directory);
    for (const [file, index] of indexes) await this.#writeIndexOf(file, index);
    this.#spare.discard(...leftovers);
    this.tidyUp();
  }

  /**
   * Writes a batch, `operations` being the number of those before it, all of which are on the disk.
   * Returns what has been written: that batch, and after a failure what was gathered meanwhile.
   */
  async append(batch: Batch, operations: number): Promise<readonly Batch[]> {
    const { file, disk, fullBytes } = this.#current!;
    const at = file.bytes;
    batch.sealPublishes(batch.bytes, 0, file.seed);
    this.#locate(batch, this.#current!, at);
    const header = { firstOperation: operations, count: batch.count, durable: operations };
    sealBatch(batch.bytes, { ...header, epoch: this.#epoch }, file.seed);
    file.bytes += batch.length;
    this.#current!.batches++;
    // Taken now: it counts in this batch, and nothing that is asked for while it is written.
    if (file.bytes >= fullBytes || this.#intervalSync.hasFailed) {
      this.#next = { payload: this.#ports.snapshot(), operations: operations + batch.count };
    }
    try {
      await disk.write(batch.bytes, at);
      file.written = file.bytes;
      this.#intervalSync.written();
      return [batch];
    } catch (error) {
      return await this.#rescue(error, [batch], operations);
    }
  }

  /** Goes on in a new file; returns what has been written besides, which is so after a failure. */
  async turnOver(): Promise<readonly Batch[]> {
    const full = this.#current;
    const next = this.#next!;
    let written: readonly Batch[] = [];
    try {
      if (typeof this.#options.sync === 'object' && full !== undefined) {
        await full.disk.sync();
        full.file.isSynced = true;
      }
      if (full !== undefined) await this.#spare.weigh(full.file.bytes / full.batches);
      await this.#begin(next, [], next.operations);
      await this.#letGo(full);
    } catch (error) {
      written = await this.#rescue(error, [], next.operations);
    }
    this.tidyUp();
    return written;
  }

  /** A message's bytes are no longer needed; true if that was the last of a file. */
  released(location: number): boolean {
    const file = this.#files.get(slotOf(location));
    if (file === undefined) return false;
    return --file.live === 0 && file !== this.#current?.file;
  }

  /** Whether what has its place at a location has been written there. */
  isWritten(location: number): boolean {
    const file = this.#files.get(slotOf(location));
    return file === undefined || offsetOf(location) < file.written;
  }

  /** Reads what lies at a location, and behind it; see {@link JournalReader}. */
  async read(
    location: number,
    use: (read: ReadMessage | undefined) => void,
    bytes?: number,
  ): Promise<void> {
    const file = this.#files.get(slotOf(location));
    if (file === undefined) return use(undefined);
    const tell = (read: ReadMessage | undefined): void => {
      if (read === undefined && this.#files.get(file.slot) === file) {
        this.#ports.logger.error(`a message in ${file.path} is damaged, and lost`);
      }
      use(read);
    };
    await this.#reader.read(file, location, tell, bytes);
  }

  /** What can wait: room is given back, and made ready for the next file. */
  tidyUp(): void {
    this.freeFiles();
    this.#spare.prepare();
    const full = [...this.#files.values()].filter((file) => file !== this.#current?.file);
    void this.#cleaner.clean(full).then(() => this.freeFiles());
  }

  /**
   * Gives up the files that nobody needs any more: only the current one is needed for itself. What
   * was removed from them may come back until the removal is on the disk, so they go after it.
   */
  freeFiles(): void {
    const unneeded = [...this.#files.values()].filter(
      (file) => file.live === 0 && file !== this.#current?.file && file !== this.#beginning,
    );
    if (unneeded.length === 0) return;
    this.#ports.onRemovalsDurable(() => {
      this.#disposal.dispose(unneeded);
    });
  }

  /** What cannot be written is tried once more, and then no more. */
  giveUp(): void {
    this.#isClosing = true;
    this.#pause.cutShort();
  }

  async close(): Promise<void> {
    this.#intervalSync.stop();
    await this.#disposal.close();
    if (this.#options.sync !== 'always') await this.#current?.disk.sync();
    await this.#current?.disk.close();
    await this.#reader.close();
    await this.#spare.close();
  }

  /**
   * A write has failed, and what it left behind is unknown. Everything it held, and what has been
   * gathered since, goes to a new file in one batch with the state as it is now: either all of it
   * is there after a crash, or the files before are gone on from. It is tried for as long as it
   * takes; publishers wait.
   */
  async #rescue(
    cause: unknown,
    batches: readonly Batch[],
    operations: number,
  ): Promise<readonly Batch[]> {
    const { logger, snapshot, takeGathered } = this.#ports;
    const text = 'cannot write to the journal: publishers wait until it is possible again';
    logger.error(text, { error: cause });
    this.#isFailing = true;
    const failed = this.#current;
    const carried = [...batches];
    for (;;) {
      if (!this.#isClosing) await this.#pause.wait();
      const gathered = takeGathered();
      if (!gathered.isEmpty) carried.push(gathered);
      try {
        const count = carried.reduce((sum, batch) => sum + batch.count, 0);
        await this.#begin({ payload: snapshot(), operations }, carried, operations + count);
        break;
      } catch (error) {
        logger.debug('the journal still cannot be written', { error });
        if (this.#isClosing) throw cause;
      }
    }
    await this.#letGo(failed);
    this.#isFailing = false;
    logger.warn('the journal can be written again');
    return carried;
  }

  /**
   * Begins a new file. In its first batch the operations of `batches` follow the snapshot, which
   * counts them in already: they are there for the messages in them.
   */
  async #begin(snapshot: Snapshot, batches: readonly Batch[], after: number): Promise<void> {
    const { files, random } = this.#ports;
    const number = this.#nextNumber++;
    const path = `${this.#options.directory}/${journalFileName(number)}`;
    const seed = random.bytes(4).readUInt32BE();
    const disk = await this.#spare.take(path);
    const first = Buffer.concat([
      Buffer.alloc(BATCH_HEADER_BYTES),
      snapshot.payload,
      ...batches.map((batch) => batch.payload),
    ]);
    const bytes = BATCHES_OFFSET + first.length;
    const slot = this.#freeSlot();
    const file = newJournalFile({ number, slot, path, seed, bytes, written: 0 });
    const fullBytes = Math.max(this.#options.fileBytes, 2 * bytes);
    const begun: CurrentFile = { file, disk, index: new FileIndexBuilder(), batches: 0, fullBytes };
    this.#files.set(slot, file);
    this.#beginning = file;
    let at = BATCH_HEADER_BYTES + snapshot.payload.length;
    for (const batch of batches) {
      const shift = at - BATCH_HEADER_BYTES;
      batch.sealPublishes(first, shift, seed);
      this.#locate(batch, begun, BATCHES_OFFSET + shift);
      at += batch.payload.length;
    }
    const operations = { firstOperation: snapshot.operations, durable: snapshot.operations };
    const count = after - snapshot.operations;
    sealBatch(first, { ...operations, count, epoch: this.#epoch }, seed);
    const header = { number, seed, epoch: this.#epoch, firstOperation: snapshot.operations };
    const head = encodeFileHeader(header);
    try {
      await disk.write(head, 0);
      await disk.write(first, BATCHES_OFFSET);
      if (typeof this.#options.sync === 'object') await disk.sync();
      await disk.write(head, SECOND_HEADER_OFFSET);
      if (this.#options.sync !== 'never') await files.syncDirectory(this.#options.directory);
    } catch (error) {
      for (const batch of batches) {
        batch.forEachPlacement((store, position) => store.displaced(position));
      }
      await this.#forsake(begun);
      throw error;
    } finally {
      this.#beginning = undefined;
    }
    file.written = bytes;
    this.#current = begun;
    this.#next = undefined;
    this.#intervalSync.begun();
  }

  #locate(batch: Batch, { file, index }: CurrentFile, shift: number): void {
    batch.forEachPlacement((store, position, offset, expiresAt) => {
      if (!store.located(position, locationOf(file.slot, offset + shift))) return;
      file.placed++;
      file.live++;
      const bodyBytes = store.locations.bodyBytes(position);
      index.add(store.chain, position, offset + shift, bodyBytes, expiresAt);
    });
  }

  async #giveUpReading(file: JournalFile): Promise<void> {
    this.#files.delete(file.slot);
    await this.#reader.forget(file).catch(this.#cannotClose(file));
  }

  #cannotClose({ path }: JournalFile): (error: unknown) => void {
    return (error) => this.#ports.logger.warn(`cannot close ${path}`, { error });
  }

  /** Gets rid of a file that could not be begun. */
  async #forsake({ file, disk }: CurrentFile): Promise<void> {
    this.#files.delete(file.slot);
    try {
      await disk.close();
      await this.#ports.files.remove(file.path);
    } catch (error) {
      this.#ports.logger.debug(`cannot remove ${file.path}`, { error });
    }
  }

  /** Closes a file that is full or has failed, and leaves its index beside it. */
  async #letGo(current: CurrentFile | undefined): Promise<void> {
    if (current === undefined) return;
    await current.disk.close().catch(this.#cannotClose(current.file));
    await this.#writeIndexOf(current.file, current.index);
  }

  async #writeIndexOf(file: JournalFile, index: FileIndexBuilder): Promise<void> {
    const { files, logger } = this.#ports;
    await writeFileIndex(files, file.path, index.finish(file.seed)).catch((error: unknown) => {
      logger.warn('cannot write an index of the journal; the next start takes longer', { error });
    });
  }

  /**
   * A slot above 0 that no file has, and that none has had for long: somebody may still be reading
   * what is not there any more.
   */
  #freeSlot(): number {
    do this.#lastSlot = (this.#lastSlot % SLOTS_MAX) + 1;
    while (this.#files.has(this.#lastSlot));
    return this.#lastSlot;
  }
}
