import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseObject } from './tidy/tree.js';

/**
 * A promise nobody waits for is the bug this product can least afford, and the rules against it
 * are young. So: with our own settings, do they fire?
 */
const repository = fileURLToPath(new URL('../..', import.meta.url));
const biome = join(repository, 'node_modules/@biomejs/biome/bin/biome');

const sources: Readonly<Record<string, { readonly rule: string; readonly text: string }>> = {
  'floating.ts': {
    rule: 'noFloatingPromises',
    text: 'async function sync(): Promise<void> {}\n\nexport function f(): void {\n  sync();\n}\n',
  },
  'misused.ts': {
    rule: 'noMisusedPromises',
    text: [
      'async function isDurable(): Promise<boolean> {',
      '  return true;',
      '}',
      '',
      'export function f(): number {',
      '  return isDurable() ? 1 : 0;',
      '}',
      '',
    ].join('\n'),
  },
};

describe('biome, with biome.json', () => {
  for (const [name, { rule, text }] of Object.entries(sources)) {
    it(`fails on ${name} by ${rule}`, () => {
      const run = lint(name, text);
      assert.match(run.output, new RegExp(`lint/[a-z]+/${rule}`));
      assert.equal(run.status, 1, run.output);
    });
  }

  it('passes when the promise is awaited', () => {
    const text = 'async function sync(): Promise<void> {}\n\nexport const done = await sync();\n';
    const run = lint('awaited.ts', text);
    assert.equal(run.status, 0, run.output);
  });
});

/** Lints one file in a folder of its own; only the settings about git are left behind. */
function lint(name: string, source: string): { status: number | null; output: string } {
  const folder = mkdtempSync(join(tmpdir(), 'leveret-lint-'));
  try {
    const settings = parseObject(readFileSync(join(repository, 'biome.json'), 'utf8'));
    const { vcs: _, ...withoutGit } = settings;
    writeFileSync(join(folder, 'biome.json'), JSON.stringify(withoutGit));
    writeFileSync(join(folder, name), source);
    const command = [biome, 'lint', '--error-on-warnings', '--colors=off', '.'];
    const run = spawnSync(process.execPath, command, { cwd: folder, encoding: 'utf8' });
    return { status: run.status, output: run.stdout + run.stderr };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
