import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { checkTree } from './tidy/check-tree.js';
import type { Exceptions } from './tidy/exceptions.js';
import { formatFinding, ruleNames } from './tidy/finding.js';
import { cleanTree, type Plant } from './tidy/testing/clean-tree.js';
import { plantedCalls } from './tidy/testing/planted-calls.js';
import { plantedImports } from './tidy/testing/planted-imports.js';
import { plantedSizes } from './tidy/testing/planted-sizes.js';
import {
  plantedLeftovers,
  plantedLinks,
  plantedNames,
  plantedPackaging,
} from './tidy/testing/planted-words.js';

const noExceptions: Exceptions = { sizes: [], permits: [] };
const plants: readonly Plant[] = [
  ...plantedImports,
  ...plantedSizes,
  ...plantedCalls,
  ...plantedLeftovers,
  ...plantedNames,
  ...plantedLinks,
  ...plantedPackaging,
];
const tidyProgram = fileURLToPath(new URL('./tidy.js', import.meta.url));

describe('tidy', () => {
  it('finds nothing in a clean tree', () => {
    assert.deepEqual(check({}), []);
  });

  for (const plant of plants) {
    it(`reports ${plant.rule}: ${plant.what}`, () => {
      const found = check(plant.files, plant.exceptions);
      assert.equal(found.length, 1, `expected one finding, got:\n${found.join('\n')}`);
      assert.match(found[0] ?? '', plant.expect);
      assert.ok(found[0]?.endsWith(` [${plant.rule}]`), found[0]);
    });
  }

  it('has a planted violation of every rule', () => {
    const planted = new Set(plants.map((plant) => plant.rule));
    assert.deepEqual(
      ruleNames.filter((name) => !planted.has(name)),
      [],
    );
  });

  it('exits 1 and prints file, line, what and what to do', () => {
    const run = withTree({ 'docs/gone.md': '[gone](nowhere.md)\n' }, (root) =>
      spawnSync(process.execPath, [tidyProgram, root], { encoding: 'utf8' }),
    );
    assert.equal(run.status, 1, run.stderr);
    assert.match(run.stdout, /^docs\/gone\.md:1: nowhere\.md points at nothing; correct it/m);
    assert.match(run.stdout, /^tidy: 1 errors, 0 warnings$/m);
  });

  it('exits 0 on a clean tree, and on one with warnings only', () => {
    const longFile = 'export {};\n'.repeat(450);
    withTree({}, (root) => execFileSync(process.execPath, [tidyProgram, root]));
    withTree({ 'packages/broker/src/core/long.ts': longFile }, (root) =>
      execFileSync(process.execPath, [tidyProgram, root]),
    );
  });
});

function check(files: Plant['files'], exceptions = noExceptions): string[] {
  return withTree(files, (root) => checkTree(root, exceptions).map(formatFinding));
}

/** Writes the clean tree with some files changed or added; they are gone when `use` returns. */
function withTree<Result>(files: Plant['files'], use: (root: string) => Result): Result {
  const root = mkdtempSync(join(tmpdir(), 'leveret-tidy-'));
  try {
    for (const [path, text] of Object.entries({ ...cleanTree, ...files })) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return use(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}
