/** What tidy can complain about. Each name has at least one planted violation in tidy.test.ts. */
export const ruleNames = [
  'package-layer',
  'folder-layer',
  'relative-import',
  'declared-dependency',
  'public-entry',
  'import-cycle',
  'file-length',
  'function-length',
  'line-length',
  'folder-size',
  'banned-call',
  'banned-module',
  'leftover',
  'only-test',
  'skip-reason',
  'default-export',
  'file-name',
  'barrel',
  'broken-link',
  'lockfile',
  'pinned-version',
  'foreign-path',
  'stale-exception',
] as const;

export type RuleName = (typeof ruleNames)[number];

/** One complaint: where it is, which rule, what is wrong and what to do. */
export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly rule: RuleName;
  readonly message: string;
  /** A warning is printed and does not fail the run. */
  readonly severity: 'error' | 'warning';
}

export function violation(path: string, line: number, rule: RuleName, message: string): Finding {
  return { path, line, rule, message, severity: 'error' };
}

export function warning(path: string, line: number, rule: RuleName, message: string): Finding {
  return { path, line, rule, message, severity: 'warning' };
}

/** `file:line: what, and what to do`, which editors turn into a link. */
export function formatFinding(finding: Finding): string {
  const mark = finding.severity === 'warning' ? 'warning: ' : '';
  return `${finding.path}:${finding.line}: ${mark}${finding.message} [${finding.rule}]`;
}
