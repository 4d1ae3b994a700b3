/**
 * The allow-tables: who may import whom. What is not allowed here is refused, so a new package or
 * folder needs a line, and that line is where the direction of dependencies is decided.
 *
 *     amqp ◄ client ◄─┐
 *       ▲             server          base ◄ store ◄ core ◄ auth, alarms
 *       └── broker ◄──┘                               ▲
 *                                                     └─ protocols/<name> ◄ control
 */

/** Workspaces by name, and the workspaces each may import. */
export const packageLayers: ReadonlyMap<string, readonly string[]> = new Map([
  ['@leveret/amqp', []],
  ['@leveret/broker', ['@leveret/amqp']],
  ['@leveret/client', ['@leveret/amqp']],
  ['leveret', ['@leveret/amqp', '@leveret/broker', '@leveret/client']],
  ['@leveret/scripts', []],
  ['@leveret/test', ['@leveret/amqp', '@leveret/broker', '@leveret/client', 'leveret']],
  ['@leveret/bench', ['@leveret/amqp', '@leveret/broker', '@leveret/client']],
  ['@leveret/examples', ['@leveret/broker', '@leveret/client']],
]);

/** What a folder takes from the codec. */
export interface CodecUse {
  /** Names it may import with `import type`. */
  readonly types: readonly string[];
  /** Names it may import and run. */
  readonly values: readonly string[];
}

export interface FolderLayer {
  /** Relative to `layeredFolder`; a `*` stands for one name, each its own layer. */
  readonly folder: string;
  /** Folders below it. Its own folder is always allowed, a sibling of the same row never. */
  readonly mayImport: readonly string[];
  readonly codec: CodecUse | 'all' | 'none';
}

export const layeredFolder = 'packages/broker/src';
export const codecPackage = '@leveret/amqp';

/**
 * The broker from the ground up. The core speaks messages and arguments, never frames or methods:
 * from the codec it takes AMQP's type system for arguments, and how to write a table of them down.
 * Files at the root of the folder compose the layers and may import them all.
 */
export const folderLayers: readonly FolderLayer[] = [
  { folder: 'base', mayImport: [], codec: 'none' },
  { folder: 'store', mayImport: ['base'], codec: 'none' },
  {
    folder: 'core',
    mayImport: ['base', 'store'],
    codec: {
      types: ['BasicProperties', 'FieldTable', 'FieldValue'],
      values: ['decodeTable', 'encodeTable', 'fieldTypeName', 'sameFieldValue'],
    },
  },
  { folder: 'alarms', mayImport: ['base', 'store', 'core'], codec: 'none' },
  { folder: 'listening', mayImport: ['base'], codec: 'none' },
  {
    folder: 'auth',
    mayImport: ['base', 'store', 'core'],
    // The log is read by people.
    codec: { types: [], values: ['fromWire'] },
  },
  {
    folder: 'certificates',
    mayImport: [],
    // A user's name is compared octet by octet.
    codec: { types: [], values: ['toWire'] },
  },
  { folder: 'protocols/*', mayImport: ['base', 'store', 'core'], codec: 'all' },
  {
    // What a program may ask of a running broker and set in it, in text as programs have it.
    folder: 'control',
    mayImport: ['base', 'store', 'core', 'auth', 'protocols/*'],
    codec: 'all',
  },
];
