import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import { type CodeView, viewCode } from './code-view.js';
import { findImports, type Import } from './imports.js';

/** What was installed, built or recorded, not written. In a git worktree, `.git` is a file. */
const namesLeftOut: ReadonlySet<string> = new Set(['node_modules', 'dist', '.git']);

/** Endings of the files that are read; all else (images, archives, bytes) is only listed. */
const textFile = /\.(?:ts|js|mjs|cjs|json|md|ya?ml|sh|py|toml|txt|html|css|conf|service)$/;
const textFileWithoutEnding = /(?:^|\/)(?:Dockerfile|LICENSE|run|\.\w+)$/;

/** One file of the repository. `path` is relative to its root, with `/` on every system. */
export class SourceFile {
  readonly path: string;
  readonly text: string;
  #view: CodeView | undefined;
  #imports: readonly Import[] | undefined;
  #lines: readonly string[] | undefined;

  constructor(path: string, text: string) {
    this.path = path;
    this.text = text;
  }

  /** Written in TypeScript. */
  get isTypeScript(): boolean {
    return this.path.endsWith('.ts');
  }

  /** Runs, or helps to run, only in tests. */
  get isTest(): boolean {
    return /\.(test|contract)(\.\w+)?\.ts$/.test(this.path) || /(^|\/)testing\//.test(this.path);
  }

  get lines(): readonly string[] {
    this.#lines ??= this.text.replace(/\n$/, '').split('\n');
    return this.#lines;
  }

  get view(): CodeView {
    this.#view ??= viewCode(this.text);
    return this.#view;
  }

  get imports(): readonly Import[] {
    this.#imports ??= findImports(this.text, this.view);
    return this.#imports;
  }

  lineAt(offset: number): number {
    return this.text.slice(0, offset).split('\n').length;
  }
}

/** What a workspace's package.json says of it. */
export interface Workspace {
  readonly folder: string;
  readonly name: string;
  /** All that its own code may import by name. */
  readonly dependencies: ReadonlySet<string>;
  /** What only its tests may import besides. */
  readonly devDependencies: ReadonlySet<string>;
  /** Importable paths: `.` and whatever `exports` lists. */
  readonly entries: ReadonlySet<string>;
}

/** The repository as it is on disk. */
export class Tree {
  readonly root: string;
  readonly files: readonly SourceFile[];
  readonly workspaces: readonly Workspace[];
  readonly #byPath: ReadonlyMap<string, SourceFile>;

  constructor(root: string) {
    this.root = root;
    this.files = [...listFiles(root, '')];
    this.#byPath = new Map(this.files.map((file) => [file.path, file]));
    this.workspaces = this.#readWorkspaces();
  }

  get typeScript(): readonly SourceFile[] {
    return this.files.filter((file) => file.isTypeScript);
  }

  file(path: string): SourceFile | undefined {
    return this.#byPath.get(path);
  }

  exists(path: string): boolean {
    return existsSync(join(this.root, path));
  }

  workspaceOf(path: string): Workspace | undefined {
    return this.workspaces.find((workspace) => path.startsWith(`${workspace.folder}/`));
  }

  /** The file that `./name.js` written in `from` means: `name.ts`. */
  resolve(from: SourceFile, specifier: string): string {
    const path = posix.join(posix.dirname(from.path), specifier);
    return path.replace(/\.js$/, '.ts');
  }

  #readWorkspaces(): Workspace[] {
    const root = this.#byPath.get('package.json');
    const folders = stringsOf(parseObject(root?.text ?? '{}').workspaces);
    return folders.flatMap((folder) => {
      const file = this.#byPath.get(`${folder}/package.json`);
      return file === undefined ? [] : [readWorkspace(folder, parseObject(file.text))];
    });
  }
}

function* listFiles(root: string, folder: string): Generator<SourceFile> {
  for (const name of readdirSync(join(root, folder)).sort()) {
    if (namesLeftOut.has(name)) continue;
    const path = folder === '' ? name : `${folder}/${name}`;
    const stat = statSync(join(root, path), { throwIfNoEntry: false });
    if (stat === undefined) continue;
    if (stat.isDirectory()) {
      yield* listFiles(root, path);
    } else if (textFile.test(path) || textFileWithoutEnding.test(path)) {
      yield new SourceFile(path, readFileSync(join(root, path), 'utf8'));
    } else {
      yield new SourceFile(path, '');
    }
  }
}

function readWorkspace(folder: string, json: Record<string, unknown>): Workspace {
  const exported = json.exports;
  return {
    folder,
    name: String(json.name),
    dependencies: keysOf(json.dependencies, json.peerDependencies, json.optionalDependencies),
    devDependencies: keysOf(json.devDependencies),
    entries: typeof exported === 'string' ? new Set(['.']) : keysOf(exported),
  };
}

/** The keys of several objects together; what is no object has none. */
function keysOf(...values: readonly unknown[]): Set<string> {
  return new Set(values.flatMap((value) => (isObject(value) ? Object.keys(value) : [])));
}

function stringsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** A JSON file that must hold an object, which all of npm's do. */
export function parseObject(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text);
  if (!isObject(value)) throw new Error('expected a JSON object');
  return value;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
