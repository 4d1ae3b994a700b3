import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { DEFAULT_LIMITS } from '@leveret/broker';
import { repository } from './leveret-process.js';

/** What the pages say of options and limits is what there is. */
describe('the documents', () => {
  it('list every option, and none that is not there', () => {
    const program = join(repository, 'packages/server/bin/leveret.js');
    const help = spawnSync(process.execPath, [program, '--help'], { encoding: 'utf8' }).stdout;
    const offered = help.match(/^ {2}--[a-z-]+/gm)?.map((option) => option.trim());
    assert.deepEqual(firstCells('docs/operating/command-line.md', /^`(--[a-z-]+)/), offered);
  });

  it('list every limit with its default, and none that is not there', () => {
    const rows = tableRows('docs/limits.md').filter(([name = '']) => /^`\w+`$/.test(name));
    const listed = rows.map(([name, value]) => [name?.slice(1, -1), Number(value)]);
    assert.deepEqual(Object.fromEntries(listed), DEFAULT_LIMITS);
    assert.equal(listed.length, Object.keys(DEFAULT_LIMITS).length);
  });

  it('quote errors as they are with the default', () => {
    for (const [, value = '', beyond = ''] of tableRows('docs/limits.md')) {
      const quoted = /`[^`]*\b(\d{4,})\b[^`]*`/.exec(beyond)?.[1];
      if (quoted !== undefined) assert.equal(quoted, value, beyond);
    }
  });
});

function firstCells(path: string, pattern: RegExp): string[] {
  return tableRows(path).flatMap(([first = '']) => pattern.exec(first)?.[1] ?? []);
}

function tableRows(path: string): string[][] {
  const lines = readFileSync(join(repository, path), 'utf8').split('\n');
  return lines
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
}
