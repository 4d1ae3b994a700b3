import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DiskFile, Files, OpenOptions } from '@leveret/broker';
import { SeededRandom } from '../wire/seeded-random.js';
import {
  type DiskEvent,
  DiskState,
  randomSurvival,
  SECTOR_BYTES,
  type Survival,
} from './disk-state.js';

/** What can be asked of a disk. */
export type DiskCall =
  | 'list'
  | 'open'
  | 'rename'
  | 'link'
  | 'remove'
  | 'syncDirectory'
  | 'size'
  | 'write'
  | 'read'
  | 'sync'
  | 'close';

/** Something that goes wrong on purpose. */
export interface Fault {
  /** What fails. Default: any call. */
  readonly call?: DiskCall;
  /** Only calls for a path that has this in it. Default: any. */
  readonly path?: string;
  /** How many calls that fit go well before. Default: 0. */
  readonly after?: number;
  /** How many fail then. Default: 1. */
  readonly times?: number;
  /** The error's `code`. Default: EIO. */
  readonly code?: string;
  /** How much of a failing write is done all the same, 0 to 1. Default: 0. */
  readonly share?: number;
}

/** How a disk behaves. */
export interface FaultyFilesOptions {
  /** Everything that is random comes from it. Default: 1. */
  readonly seed?: number;
  /** What is on the disk, as {@link FaultyFiles.crash} or {@link DiskState} tell it. */
  readonly content?: readonly DiskEvent[];
  /** The longest a call takes, in turns of the event loop; each takes a random time. Default: 0. */
  readonly turnsMax?: number;
  /** Room on the disk, in octets; a write beyond it fails with ENOSPC. Default: no end. */
  readonly roomBytes?: number;
}

/**
 * A disk in memory that forgets what was not synced, for testing what a program leaves behind when
 * the power goes. What is written through a file opened with `durableWrites` is durable when the
 * promise resolves, anything else after `sync()`; names are after `syncDirectory()`. A crash keeps
 * a random part of the rest, by sectors of 512 octets. The same seed gives the same disk.
 *
 * ```ts
 * const disk = new FaultyFiles({ seed: 7 });
 * const broker = await Broker.open({ storage: { directory: '/data', files: disk } });
 * // ...
 * const after = new FaultyFiles({ content: disk.crash() });
 * const again = await Broker.open({ storage: { directory: '/data', files: after } });
 * ```
 */
export class FaultyFiles implements Files {
  /** Everything that has happened to the disk, its first content included. */
  readonly events: DiskEvent[] = [];
  /** Room on the disk, in octets. */
  roomBytes: number;
  readonly #state = new DiskState();
  readonly #random: SeededRandom;
  readonly #turnsMax: number;
  readonly #directories = new Set<string>();
  #faults: { readonly fault: Fault; left: number; times: number }[] = [];
  #isDead = false;
  #crashAt: { readonly events: number; readonly then: () => void } | undefined;
  #nextFile = 1;

  constructor(options: FaultyFilesOptions = {}) {
    this.#random = new SeededRandom(options.seed ?? 1);
    this.#turnsMax = options.turnsMax ?? 0;
    this.roomBytes = options.roomBytes ?? Number.POSITIVE_INFINITY;
    for (const event of options.content ?? []) {
      this.#record(event);
      if (event.kind !== 'create') continue;
      this.#nextFile = Math.max(this.#nextFile, event.file + 1);
      this.#directories.add(event.path.slice(0, event.path.lastIndexOf('/')));
    }
  }

  /** Whether the power has gone: no call comes back any more. */
  get isDead(): boolean {
    return this.#isDead;
  }

  /**
   * The power goes, now. Whoever uses the disk waits for ever; what is left on it is returned, for
   * another one to begin with. What was being written may be there in part.
   */
  crash(survival: Survival = randomSurvival(this.#random)): DiskEvent[] {
    this.#isDead = true;
    return this.#state.afterPowerLoss(survival);
  }

  /** Lets the power go when so many more things have happened; `then` is told at that moment. */
  crashAfter(events: number, then: () => void): void {
    this.#crashAt = { events: this.events.length + events, then };
  }

  /** All that was written reaches the platter, as the operating system sees to in its own time. */
  writeBack(): void {
    for (let file = 1; file < this.#nextFile; file++) {
      const { length } = this.#state.content(file);
      this.#record({ kind: 'settle', file, position: 0, length });
    }
    for (const directory of this.#directories) {
      this.#record({ kind: 'settle-names', directory, changes: this.#state.pendingNames });
    }
  }

  /** Lets something fail. */
  fail(fault: Fault): void {
    this.#faults.push({ fault, left: fault.after ?? 0, times: fault.times ?? 1 });
  }

  /** Lets nothing fail any more that has not yet. */
  mend(): void {
    this.#faults = [];
    this.roomBytes = Number.POSITIVE_INFINITY;
  }

  async list(directory: string): Promise<string[]> {
    await this.#begin('list', directory);
    if (!this.#directories.has(directory)) throw diskError('ENOENT', directory);
    return this.#state.list(directory);
  }

  async makeDirectory(directory: string): Promise<void> {
    await this.#elapse();
    this.#directories.add(directory);
  }

  async open(path: string, { create, durableWrites }: OpenOptions): Promise<DiskFile> {
    await this.#begin('open', path);
    let file = this.#state.find(path);
    if (file === undefined) {
      if (!create) throw diskError('ENOENT', path);
      file = this.#nextFile++;
      this.#record({ kind: 'create', path, file });
    }
    return new OpenFile(this.#portFor(path, file), durableWrites);
  }

  async rename(path: string, to: string): Promise<void> {
    await this.#begin('rename', path);
    if (this.#state.find(path) === undefined) throw diskError('ENOENT', path);
    this.#record({ kind: 'rename', path, to });
  }

  async link(path: string, to: string): Promise<void> {
    await this.#begin('link', path);
    if (this.#state.find(path) === undefined) throw diskError('ENOENT', path);
    if (this.#state.find(to) !== undefined) throw diskError('EEXIST', to);
    this.#record({ kind: 'link', path, to });
  }

  async remove(path: string): Promise<void> {
    await this.#begin('remove', path);
    if (this.#state.find(path) === undefined) throw diskError('ENOENT', path);
    this.#record({ kind: 'remove', path });
  }

  async freeBytes(): Promise<number> {
    return this.roomBytes - this.#state.usedBytes;
  }

  async syncDirectory(directory: string): Promise<void> {
    const changes = this.#state.pendingNames;
    await this.#begin('syncDirectory', directory);
    this.#record({ kind: 'settle-names', directory, changes });
  }

  #portFor(path: string, file: number): FilePort {
    return {
      begin: (call) => this.#begin(call, path),
      elapse: () => this.#elapse(),
      record: (event) => this.#record(event),
      content: () => this.#state.content(file),
      hasRoomFor: (bytes) => this.#state.usedBytes + bytes <= this.roomBytes,
      file,
      path,
    };
  }

  /** Every call begins here: it takes its time, and may be one that fails. */
  async #begin(call: DiskCall, path: string): Promise<Fault | undefined> {
    await this.#elapse();
    const fault = this.#faultOf(call, path);
    if (fault === undefined || call === 'write' || call === 'sync') return fault;
    throw diskError(fault.code ?? 'EIO', path);
  }

  #faultOf(call: DiskCall, path: string): Fault | undefined {
    for (const each of this.#faults) {
      const { fault } = each;
      if (each.times === 0 || (fault.call !== undefined && fault.call !== call)) continue;
      if (fault.path !== undefined && !path.includes(fault.path)) continue;
      if (each.left-- > 0) continue;
      each.left = 0;
      each.times--;
      return fault;
    }
    return undefined;
  }

  async #elapse(): Promise<void> {
    const turns = this.#turnsMax > 0 ? this.#random.below(this.#turnsMax + 1) : 0;
    for (let i = 0; i < turns; i++) await nextTurn();
    if (this.#isDead) await new Promise(() => {});
  }

  #record(event: DiskEvent): void {
    if (this.#isDead) return;
    const crash = this.#crashAt;
    if (crash !== undefined && this.events.length >= crash.events) {
      this.#crashAt = undefined;
      this.#isDead = true;
      crash.then();
      return;
    }
    this.events.push(event);
    this.#state.apply(event);
  }
}

/** What an open file needs of its disk. */
interface FilePort {
  readonly file: number;
  readonly path: string;
  readonly begin: (call: DiskCall) => Promise<Fault | undefined>;
  readonly elapse: () => Promise<void>;
  readonly record: (event: DiskEvent) => void;
  readonly content: () => Uint8Array;
  readonly hasRoomFor: (bytes: number) => boolean;
}

class OpenFile implements DiskFile {
  readonly #port: FilePort;
  readonly #durableWrites: boolean;
  #isClosed = false;

  constructor(port: FilePort, durableWrites: boolean) {
    this.#port = port;
    this.#durableWrites = durableWrites;
  }

  async size(): Promise<number> {
    await this.#begin('size');
    return this.#port.content().length;
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    const { file, path, content, hasRoomFor, record, elapse } = this.#port;
    const copy = Uint8Array.from(bytes);
    const fault = await this.#begin('write');
    const grows = Math.max(0, position + copy.length - content().length);
    const full = grows > 0 && !hasRoomFor(grows);
    const share = full || fault !== undefined ? (fault?.share ?? 0) : 1;
    const length = wholeSectors(copy.length, share);
    record({ kind: 'write', file, position, bytes: copy.subarray(0, length) });
    if (full) throw diskError('ENOSPC', path);
    if (fault !== undefined) throw diskError(fault.code ?? 'EIO', path);
    if (!this.#durableWrites) return;
    await elapse();
    record({ kind: 'settle', file, position, length });
  }

  async read(buffer: Uint8Array, length: number, position: number): Promise<number> {
    await this.#begin('read');
    const found = this.#port.content().subarray(position, position + length);
    buffer.set(found);
    return found.length;
  }

  async sync(): Promise<void> {
    const { file, path, content, record } = this.#port;
    const { length } = content();
    const fault = await this.#begin('sync');
    if (fault !== undefined) {
      record({ kind: 'doom', file });
      throw diskError(fault.code ?? 'EIO', path);
    }
    record({ kind: 'settle', file, position: 0, length });
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#port.begin('close');
  }

  #begin(call: DiskCall): Promise<Fault | undefined> {
    if (this.#isClosed) throw diskError('EBADF', this.#port.path);
    return this.#port.begin(call);
  }
}

function diskError(code: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: the disk says no to ${path}`), { code, path });
}

/** How much of a write is done before it fails: sectors are written whole or not at all. */
function wholeSectors(length: number, share: number): number {
  if (share === 1) return length;
  return Math.floor((length * share) / SECTOR_BYTES) * SECTOR_BYTES;
}
