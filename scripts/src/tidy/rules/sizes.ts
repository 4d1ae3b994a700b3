import { posix } from 'node:path';
import { type Exceptions, exceptionsPath } from '../exceptions.js';
import { type Finding, violation, warning } from '../finding.js';
import { findFunctions } from '../functions.js';
import { limits } from '../limits.js';
import type { SourceFile, Tree } from '../tree.js';

/** Files, functions, lines and folders that outgrew a reader. */
export function checkSizes(tree: Tree, exceptions: Exceptions): Finding[] {
  const lengths = new Lengths(exceptions);
  for (const file of tree.typeScript) {
    lengths.checkFile(file);
    lengths.checkFunctions(file);
  }
  return [
    ...lengths.findings,
    ...(tree.file(exceptionsPath) ? lengths.unused() : []),
    ...tree.files.filter(hasCode).flatMap(checkColumns),
    ...checkFolders(tree),
  ];
}

/** Lengths, against the limits and the ratchets that replace them. */
class Lengths {
  readonly findings: Finding[] = [];
  readonly #exceptions: Exceptions;
  readonly #used = new Set<string>();

  constructor(exceptions: Exceptions) {
    this.#exceptions = exceptions;
  }

  checkFile(file: SourceFile): void {
    const lines = file.lines.length;
    if (this.#excused(file.path, file.path, 1, lines, limits.fileLinesWarn)) return;
    const advice = 'stop and name the concept that is hiding, then split';
    if (lines > limits.fileLinesMax) {
      const message = `${lines} lines, over ${limits.fileLinesMax}; ${advice}`;
      this.findings.push(violation(file.path, 1, 'file-length', message));
    } else if (lines > limits.fileLinesWarn) {
      const message = `${lines} lines, over ${limits.fileLinesWarn}; ${advice}`;
      this.findings.push(warning(file.path, 1, 'file-length', message));
    }
  }

  checkFunctions(file: SourceFile): void {
    for (const found of findFunctions(file.view.code)) {
      const where = `${file.path}#${found.name}`;
      if (this.#excused(where, file.path, found.line, found.lines, limits.functionLinesMax))
        continue;
      if (found.lines <= limits.functionLinesMax) continue;
      const what = `${found.name} has ${found.lines} lines, over ${limits.functionLinesMax}`;
      const message = `${what}; give its steps names of their own`;
      this.findings.push(violation(file.path, found.line, 'function-length', message));
    }
  }

  /** Exceptions nobody needed: the thing is gone, or short again. */
  unused(): Finding[] {
    return this.#exceptions.lengths
      .filter((exception) => !this.#used.has(exception.where))
      .map((exception) => {
        const what = `the length exception for ${exception.where} excuses nothing`;
        return violation(exceptionsPath, 1, 'stale-exception', `${what}; remove it`);
      });
  }

  #excused(where: string, path: string, line: number, lines: number, limit: number): boolean {
    const exception = this.#exceptions.lengths.find((one) => one.where === where);
    if (exception === undefined || lines <= limit) return false;
    this.#used.add(where);
    if (lines > exception.linesMax) {
      const message = `${lines} lines, over its ratchet of ${exception.linesMax}; shorten it`;
      const rule = where === path ? 'file-length' : 'function-length';
      this.findings.push(violation(path, line, rule, message));
    } else if (lines < exception.linesMax - limits.ratchetSlackLines) {
      const message = `${where} has ${lines} lines; lower its ratchet from ${exception.linesMax}`;
      this.findings.push(violation(exceptionsPath, 1, 'stale-exception', message));
    }
    return true;
  }
}

function hasCode(file: SourceFile): boolean {
  return /\.(ts|js|mjs|cjs|sh|py)$/.test(file.path) || file.path === '.ci/run';
}

/** A line that is long because of an address in it stays: an address cannot be broken. */
function checkColumns(file: SourceFile): Finding[] {
  return file.lines.flatMap((text, at) => {
    if (text.length <= limits.lineColumnsMax || /https?:\/\/\S{40}/.test(text)) return [];
    const message = `${text.length} columns, over ${limits.lineColumnsMax}; break the line`;
    return [violation(file.path, at + 1, 'line-length', message)];
  });
}

function checkFolders(tree: Tree): Finding[] {
  const counts = new Map<string, number>();
  for (const file of tree.typeScript) {
    if (file.isTest) continue;
    const folder = posix.dirname(file.path);
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return [...counts].flatMap(([folder, count]) => {
    if (count <= limits.folderFilesMax) return [];
    const message = `${count} source files, over ${limits.folderFilesMax}; group them by concept`;
    return [violation(folder, 1, 'folder-size', message)];
  });
}
