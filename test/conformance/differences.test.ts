import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import * as differences from './differences.js';

test('DIFFERENCES.md has a row for each difference, and none besides', async () => {
  const page = new URL('../../conformance/DIFFERENCES.md', import.meta.url);
  const rows = (await readFile(page, 'utf8')).matchAll(/^\| `(\w+)` +\|/gm);
  const named = new Set(Array.from(rows, ([, name]) => name));
  assert.deepEqual(named, new Set(Object.keys(differences)));
});
