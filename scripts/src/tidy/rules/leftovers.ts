import type { Permits } from '../exceptions.js';
import { type Finding, type RuleName, violation } from '../finding.js';
import type { SourceFile, Tree } from '../tree.js';

/** What was meant for an hour and stayed: reminders, focused tests, skips without a reason. */
export function checkLeftovers(tree: Tree, permits: Permits): Finding[] {
  return tree.files.flatMap((file) => [
    ...reminders(file),
    ...(file.isTypeScript ? [...tests(file), ...defaultExports(file, permits)] : []),
  ]);
}

/** A `[D]` is a `D`; so written, the pattern does not find itself. */
const reminder = /\b(?:TO[D]O|FIX[M]E|XX[X])\b/g;

function reminders(file: SourceFile): Finding[] {
  if (!/\.(ts|js|mjs|cjs|md|ya?ml|sh|py)$/.test(file.path)) return [];
  const text = file.isTypeScript ? file.view.comments : file.text;
  return matches(file, text, reminder, 'leftover', (found) => {
    return `${found} left behind; do it now, or write it down where work is planned`;
  });
}

const onlyTest = /\b(?:test|it|describe|suite)\.only\b|\bonly:\s*true\b/g;
const bareSkip = /\b(?:test|it|describe|suite)\.skip\b|\bskip:\s*true\b/g;

function tests(file: SourceFile): Finding[] {
  if (!file.isTest) return [];
  return [
    ...matches(file, file.view.code, onlyTest, 'only-test', () => {
      return 'only this test would run; remove the only';
    }),
    ...matches(file, file.view.code, bareSkip, 'skip-reason', () => {
      return "a test skipped without a word; write { skip: 'the reason' }";
    }),
  ];
}

function defaultExports(file: SourceFile, permits: Permits): Finding[] {
  const pattern = /\bexport\s+default\b|\bexport\s*\{[^}]*\bas\s+default\b/g;
  const found = matches(file, file.view.code, pattern, 'default-export', () => {
    return 'a default export has as many names as importers; export it by name';
  });
  return found.length > 0 && permits.allow(file.path, 'a default export') ? [] : found;
}

function matches(
  file: SourceFile,
  text: string,
  pattern: RegExp,
  rule: RuleName,
  message: (found: string) => string,
): Finding[] {
  return [...text.matchAll(pattern)].map((match) => {
    return violation(file.path, file.lineAt(match.index), rule, message(match[0]));
  });
}
