import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** A compiled test and the file it was compiled from, both relative to the root. */
export interface TestFile {
  readonly compiled: string;
  readonly source: string;
}

export interface FoundTests {
  readonly current: readonly TestFile[];
  /** Compiled tests whose source is gone; the compiler leaves them behind. */
  readonly stale: readonly TestFile[];
}

/** The compiled tests of all workspaces, in order of path. */
export function findTests(root: string): FoundTests {
  const all = workspaceFolders(root).flatMap((folder) => testsIn(root, folder));
  return {
    current: all.filter((test) => existsSync(join(root, test.source))),
    stale: all.filter((test) => !existsSync(join(root, test.source))),
  };
}

/** Whether one of the filters is part of the test's path, before or after compilation. */
export function matchesFilters(test: TestFile, filters: readonly string[]): boolean {
  if (filters.length === 0) return true;
  return filters.some((filter) => {
    const part = filter.replace(/^\.\//, '');
    return test.source.includes(part) || test.compiled.includes(part);
  });
}

function workspaceFolders(root: string): string[] {
  const packages = join(root, 'packages');
  const inPackages = existsSync(packages) ? readdirSync(packages).sort() : [];
  return [...inPackages.map((name) => `packages/${name}`), 'scripts', 'test'];
}

/** Packages keep their source in `src`; `test` keeps it beside its package.json. */
function testsIn(root: string, folder: string): TestFile[] {
  const dist = join(root, folder, 'dist');
  if (!existsSync(dist)) return [];
  const sourceFolder = existsSync(join(root, folder, 'src')) ? `${folder}/src` : folder;
  return readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.test.js'))
    .sort()
    .map((path) => ({
      compiled: `${folder}/dist/${path}`,
      source: `${sourceFolder}/${path.replace(/\.js$/, '.ts')}`,
    }));
}
