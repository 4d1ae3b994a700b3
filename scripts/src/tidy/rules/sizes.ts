import { posix } from 'node:path';
import { type Exceptions, exceptionsPath, type SizeException } from '../exceptions.js';
import { type Finding, type RuleName, violation, warning } from '../finding.js';
import { findFunctions } from '../functions.js';
import { limits } from '../limits.js';
import type { SourceFile, Tree } from '../tree.js';

/** Files, functions, lines and folders that outgrew a reader. */
export function checkSizes(tree: Tree, exceptions: Exceptions): Finding[] {
  const ratchets = new Ratchets(exceptions.sizes);
  return [
    ...tree.typeScript.flatMap((file) => checkFile(file, ratchets)),
    ...tree.typeScript.flatMap((file) => checkFunctions(file, ratchets)),
    ...checkFolders(tree, ratchets),
    ...ratchets.unused(tree),
    ...tree.files.filter(hasCode).flatMap(checkColumns),
  ];
}

/** Something with a size: `where` is what an exception calls it. */
interface Sized {
  readonly where: string;
  readonly path: string;
  readonly line: number;
  readonly rule: RuleName;
  readonly size: number;
  readonly unit: 'lines' | 'source files';
}

/** The exceptions: each a size that something may have, and may only shrink from. */
class Ratchets {
  readonly #exceptions: readonly SizeException[];
  readonly #used = new Set<string>();

  constructor(exceptions: readonly SizeException[]) {
    this.#exceptions = exceptions;
  }

  /** What an exception says of something over its limit; undefined if there is none. */
  check({ where, path, line, rule, size, unit }: Sized): Finding[] | undefined {
    const exception = this.#exceptions.find((one) => one.where === where);
    if (exception === undefined) return undefined;
    this.#used.add(where);
    const { max } = exception;
    if (size > max) {
      return [
        violation(path, line, rule, `${size} ${unit}, over its ratchet of ${max}; shorten it`),
      ];
    }
    const slack = unit === 'lines' ? limits.ratchetSlackLines : 0;
    if (size >= max - slack) return [];
    const message = `${where} has ${size} ${unit}; lower its ratchet from ${max}`;
    return [violation(exceptionsPath, 1, 'stale-exception', message)];
  }

  /** Exceptions nobody needed: the thing is gone, or short again. */
  unused(tree: Tree): Finding[] {
    if (tree.file(exceptionsPath) === undefined) return [];
    return this.#exceptions
      .filter((exception) => !this.#used.has(exception.where))
      .map((exception) => {
        const what = `the size exception for ${exception.where} excuses nothing`;
        return violation(exceptionsPath, 1, 'stale-exception', `${what}; remove it`);
      });
  }
}

function checkFile(file: SourceFile, ratchets: Ratchets): Finding[] {
  const { path } = file;
  const size = file.lines.length;
  if (size <= limits.fileLinesWarn) return [];
  const place = { where: path, path, line: 1, rule: 'file-length', size, unit: 'lines' } as const;
  const excused = ratchets.check(place);
  if (excused !== undefined) return excused;
  const [limit, report] =
    size > limits.fileLinesMax ? [limits.fileLinesMax, violation] : [limits.fileLinesWarn, warning];
  const advice = 'stop and name the concept that is hiding, then split';
  return [report(path, 1, 'file-length', `${size} lines, over ${limit}; ${advice}`)];
}

function checkFunctions({ path, view }: SourceFile, ratchets: Ratchets): Finding[] {
  const rule = 'function-length';
  return findFunctions(view.code).flatMap(({ name, line, lines }) => {
    if (lines <= limits.functionLinesMax) return [];
    const where = `${path}#${name}`;
    const excused = ratchets.check({ where, path, line, rule, size: lines, unit: 'lines' });
    if (excused !== undefined) return excused;
    const what = `${name} has ${lines} lines, over ${limits.functionLinesMax}`;
    return [violation(path, line, rule, `${what}; give its steps names of their own`)];
  });
}

function checkFolders(tree: Tree, ratchets: Ratchets): Finding[] {
  const rule = 'folder-size';
  const unit = 'source files';
  return [...countSources(tree)].flatMap(([path, size]) => {
    if (size <= limits.folderFilesMax) return [];
    const excused = ratchets.check({ where: path, path, line: 1, rule, size, unit });
    if (excused !== undefined) return excused;
    const message = `${size} ${unit}, over ${limits.folderFilesMax}; group them by concept`;
    return [violation(path, 1, rule, message)];
  });
}

function countSources(tree: Tree): Map<string, number> {
  const counts = new Map<string, number>();
  for (const file of tree.typeScript) {
    if (file.isTest) continue;
    const folder = posix.dirname(file.path);
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return counts;
}

function hasCode(file: SourceFile): boolean {
  return /\.(ts|js|mjs|cjs|sh|py)$/.test(file.path) || file.path === '.ci/run';
}

/**
 * The inside of a string does not count: it cannot be broken without hiding it from a search. Nor
 * does a line that is long because of an address in it.
 */
function checkColumns(file: SourceFile): Finding[] {
  return file.lines.flatMap((text, at) => {
    if (text.length <= limits.lineColumnsMax || /https?:\/\/\S{40}/.test(text)) return [];
    const columns = file.isTypeScript ? columnsOutsideStrings(file, at) : text.length;
    if (columns <= limits.lineColumnsMax) return [];
    const message = `${columns} columns, over ${limits.lineColumnsMax}; break the line`;
    return [violation(file.path, at + 1, 'line-length', message)];
  });
}

function columnsOutsideStrings({ view, lines }: SourceFile, at: number): number {
  const code = view.code.split('\n')[at] ?? '';
  const comments = view.comments.split('\n')[at] ?? '';
  const isOutside = (char: string, column: number): boolean =>
    char === code[column] || char === comments[column];
  return [...(lines[at] ?? '')].filter(isOutside).length;
}
