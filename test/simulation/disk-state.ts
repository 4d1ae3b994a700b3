import type { SeededRandom } from '../wire/seeded-random.js';

/** What a disk writes as a whole, in octets. */
export const SECTOR_BYTES = 512;

/** Something that happened to a disk; a list of them is all it takes to build the disk again. */
export type DiskEvent =
  /** A name for a new, empty file. */
  | { readonly kind: 'create'; readonly path: string; readonly file: number }
  /** Octets that programs can read now, and that a power loss may take away in part. */
  | {
      readonly kind: 'write';
      readonly file: number;
      readonly position: number;
      readonly bytes: Uint8Array;
    }
  /** A range of a file, or all of it, has reached the platter. */
  | {
      readonly kind: 'settle';
      readonly file: number;
      readonly position: number;
      readonly length: number;
    }
  /** A sync has failed: what was not durable may be dropped, and no later sync will say so. */
  | { readonly kind: 'doom'; readonly file: number }
  | { readonly kind: 'rename'; readonly path: string; readonly to: string }
  /** A second name for a file. */
  | { readonly kind: 'link'; readonly path: string; readonly to: string }
  | { readonly kind: 'remove'; readonly path: string }
  /** The first `changes` changes of names are durable. */
  | { readonly kind: 'settle-names'; readonly directory: string; readonly changes: number };

type NameChange = Extract<DiskEvent, { kind: 'create' | 'rename' | 'link' | 'remove' }>;

/** How much of what was not durable is still there after a power loss. */
export interface Survival {
  /** Whether a sector that was not durable is. */
  readonly sector: () => boolean;
  /** How many of the changes of names, in order, that were not durable. */
  readonly names: (changes: number) => number;
}

/** Nothing survives but what was durable. */
export const NOTHING_MORE: Survival = { sector: () => false, names: () => 0 };

/** Everything was written in time. */
export const EVERYTHING: Survival = { sector: () => true, names: (changes) => changes };

/** A random part survives: each sector for itself, and names up to some point. */
export function randomSurvival(random: SeededRandom): Survival {
  const share = random.pick([0, 20, 50, 80, 100]);
  return { sector: () => random.percent(share), names: (changes) => random.below(changes + 1) };
}

/** What a file holds: as programs see it, and as it is if the power goes now. */
interface FileState {
  readonly visible: Bytes;
  readonly durable: Bytes;
  /** Numbers of the sectors in which the two differ. */
  readonly dirty: Set<number>;
  /** Those of them that a failed sync has given up. */
  readonly doomed: Set<number>;
}

/**
 * A disk as data: files, names, and how much of either is durable. Octets are durable when their
 * file, or their range of it, has been settled; names when their directory has.
 */
export class DiskState {
  readonly #files = new Map<number, FileState>();
  readonly #names = new Map<string, number>();
  readonly #durableNames = new Map<string, number>();
  #changes: NameChange[] = [];

  /** The disk on which these events have happened, from an empty one. */
  static of(events: Iterable<DiskEvent>): DiskState {
    const state = new DiskState();
    for (const event of events) state.apply(event);
    return state;
  }

  apply(event: DiskEvent): void {
    switch (event.kind) {
      case 'create':
        this.#files.set(event.file, newFile());
        this.#change(event);
        break;
      case 'rename':
      case 'link':
      case 'remove':
        this.#change(event);
        break;
      case 'write':
        this.#write(this.#file(event.file), event.position, event.bytes);
        break;
      case 'settle':
        settle(this.#file(event.file), event.position, event.length);
        break;
      case 'doom': {
        const { dirty, doomed } = this.#file(event.file);
        for (const sector of dirty) doomed.add(sector);
        break;
      }
      case 'settle-names':
        this.#settleNames(event.directory, event.changes);
        break;
    }
  }

  /** The names in a directory. */
  list(directory: string): string[] {
    const prefix = `${directory}/`;
    const inside = [...this.#names.keys()].filter((path) => path.startsWith(prefix));
    return inside.map((path) => path.slice(prefix.length)).filter((name) => !name.includes('/'));
  }

  /** Number of the file of that name. */
  find(path: string): number | undefined {
    return this.#names.get(path);
  }

  /** What a file holds, for programs; a view. */
  content(file: number): Uint8Array {
    return this.#file(file).visible.view();
  }

  /** How many changes of names are not durable. */
  get pendingNames(): number {
    return this.#changes.length;
  }

  /** The octets that the files with a name take. */
  get usedBytes(): number {
    let bytes = 0;
    for (const file of this.#names.values()) bytes += this.content(file).length;
    return bytes;
  }

  /** What the next start finds after a power loss, as events that build it. */
  afterPowerLoss(survival: Survival): DiskEvent[] {
    const names = new Map(this.#durableNames);
    const kept = survival.names(this.#changes.length);
    for (const change of this.#changes.slice(0, kept)) rename(names, change);
    const events: DiskEvent[] = [];
    const paths = new Map<number, string>();
    for (const [path, file] of names) {
      const known = paths.get(file);
      paths.set(file, path);
      if (known !== undefined) {
        events.push({ kind: 'link', path: known, to: path });
        continue;
      }
      const bytes = survivors(this.#file(file), survival);
      events.push({ kind: 'create', path, file });
      events.push({ kind: 'write', file, position: 0, bytes });
      events.push({ kind: 'settle', file, position: 0, length: bytes.length });
    }
    for (const path of names.keys()) {
      const directory = directoryOf(path);
      events.push({ kind: 'settle-names', directory, changes: names.size });
    }
    return events;
  }

  #file(number: number): FileState {
    const file = this.#files.get(number);
    if (file === undefined) throw new RangeError(`there is no file ${number}`);
    return file;
  }

  #change(change: NameChange): void {
    rename(this.#names, change);
    this.#changes.push(change);
  }

  #write({ visible, dirty, doomed }: FileState, position: number, bytes: Uint8Array): void {
    const from = Math.min(position, visible.length);
    visible.write(position, bytes);
    forEachSector(from, position + bytes.length, (sector) => {
      dirty.add(sector);
      doomed.delete(sector);
    });
  }

  #settleNames(directory: string, changes: number): void {
    const left: NameChange[] = [];
    this.#changes.forEach((change, i) => {
      if (i < changes && directoryOf(change.path) === directory) rename(this.#durableNames, change);
      else left.push(change);
    });
    this.#changes = left;
  }
}

function newFile(): FileState {
  return { visible: new Bytes(), durable: new Bytes(), dirty: new Set(), doomed: new Set() };
}

/** Makes a range durable, whole sectors of it; with it the file's size, if it ends there. */
function settle(file: FileState, position: number, length: number): void {
  const { visible, durable, dirty, doomed } = file;
  forEachSector(position, position + length, (sector) => {
    if (!dirty.has(sector) || doomed.has(sector)) return;
    dirty.delete(sector);
    durable.write(sector * SECTOR_BYTES, sectorOf(visible, sector));
  });
}

/** The content of a file after a power loss. */
function survivors({ visible, durable, dirty }: FileState, survival: Survival): Uint8Array {
  const bytes = new Bytes();
  bytes.write(0, durable.view());
  for (const sector of [...dirty].sort((a, b) => a - b)) {
    if (survival.sector()) bytes.write(sector * SECTOR_BYTES, sectorOf(visible, sector));
  }
  return bytes.view();
}

function sectorOf(bytes: Bytes, sector: number): Uint8Array {
  return bytes.view().subarray(sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES);
}

function forEachSector(from: number, to: number, visit: (sector: number) => void): void {
  const last = Math.ceil(to / SECTOR_BYTES);
  for (let sector = Math.floor(from / SECTOR_BYTES); sector < last; sector++) visit(sector);
}

function rename(names: Map<string, number>, change: NameChange): void {
  switch (change.kind) {
    case 'create':
      names.set(change.path, change.file);
      break;
    case 'remove':
      names.delete(change.path);
      break;
    case 'rename':
    case 'link': {
      const file = names.get(change.path);
      if (file === undefined) break;
      if (change.kind === 'rename') names.delete(change.path);
      names.set(change.to, file);
      break;
    }
  }
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

/** Octets that grow when written behind their end, with zeros between. */
class Bytes {
  #buffer = new Uint8Array(SECTOR_BYTES);
  length = 0;

  view(): Uint8Array {
    return this.#buffer.subarray(0, this.length);
  }

  write(position: number, bytes: Uint8Array): void {
    const end = position + bytes.length;
    if (end > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#buffer.length));
      larger.set(this.view());
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, position);
    if (end > this.length) this.length = end;
  }
}
