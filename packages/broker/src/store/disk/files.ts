/**
 * The disk, as the broker uses it: the only door to it, so that a test can put a disk there that
 * forgets what was not synced. Every call rejects with an error that has Node's `code`
 * (`ENOSPC`, `EIO`, ...) when the disk says no.
 */
export interface Files {
  /** Names in a directory, in no order. */
  list(directory: string): Promise<string[]>;
  /**
   * Makes a directory, with its parents, that only its owner may enter, and its name durable; fine
   * if it is there.
   */
  makeDirectory(directory: string): Promise<void>;
  /** Opens a file for reading and writing; `create` makes it if need be, empty. */
  open(path: string, options: OpenOptions): Promise<DiskFile>;
  /** Gives a file a second name, or copies it where the disk cannot; replaces nothing. */
  link(from: string, to: string): Promise<void>;
  /** Renames a file, replacing one that has the name. Durable after {@link syncDirectory}. */
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Room on the disk of a directory for whoever runs the broker, in octets. */
  freeBytes(directory: string): Promise<number>;
  /** Makes names durable: what was created, renamed and removed in a directory. */
  syncDirectory(directory: string): Promise<void>;
}

/** How a file is opened. */
export interface OpenOptions {
  readonly create: boolean;
  /** Every write is on the disk before it counts as done (O_DSYNC); {@link DiskFile.sync} else. */
  readonly durableWrites: boolean;
}

/** An open file. Positions and lengths are in octets. */
export interface DiskFile {
  size(): Promise<number>;
  /** Writes all of `bytes` at a position; what a failed write has left behind is unknown. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Reads up to `length` octets into `buffer` from 0 on; returns how many there were. */
  read(buffer: Uint8Array, length: number, position: number): Promise<number>;
  /** Makes what was written durable, and the file's size with it. */
  sync(): Promise<void>;
  close(): Promise<void>;
}
