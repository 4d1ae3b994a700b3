import { type Finding, violation } from '../finding.js';
import type { SourceFile, Tree } from '../tree.js';

/**
 * Files that import each other at run time, in a circle: which of them runs first is then an
 * accident. Circles of types alone are harmless and not reported.
 */
export function checkCycles(tree: Tree): Finding[] {
  const search = new CycleSearch(tree);
  for (const file of tree.typeScript) search.visit(file, []);
  return search.findings;
}

class CycleSearch {
  readonly findings: Finding[] = [];
  readonly #tree: Tree;
  readonly #done = new Set<string>();

  constructor(tree: Tree) {
    this.#tree = tree;
  }

  visit(file: SourceFile, trail: readonly string[]): void {
    if (this.#done.has(file.path)) return;
    const here = [...trail, file.path];
    for (const found of file.imports) {
      if (found.typeOnly || !found.specifier.startsWith('.')) continue;
      const target = this.#tree.resolve(file, found.specifier);
      const start = here.indexOf(target);
      if (start >= 0) {
        const circle = [...here.slice(start), target].map(baseName).join(' > ');
        const message = `imports in a circle: ${circle}; move what both need below them`;
        this.findings.push(violation(file.path, found.line, 'import-cycle', message));
        continue;
      }
      const next = this.#tree.file(target);
      if (next !== undefined) this.visit(next, here);
    }
    this.#done.add(file.path);
  }
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
