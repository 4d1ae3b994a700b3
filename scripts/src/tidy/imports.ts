import type { CodeView } from './code-view.js';

/** One `import` or `export ... from`, or an `import()`. */
export interface Import {
  readonly specifier: string;
  readonly line: number;
  /** No name of it is used at run time. */
  readonly typeOnly: boolean;
  /** The names taken to run, in the other module's words; `*` for all of them. */
  readonly values: readonly string[];
  /** The names taken as types only. */
  readonly types: readonly string[];
}

const fromClause = /\b(?:import|export)\s+(type\s+)?([\w\s,*{}$]*?)\s*\bfrom\s*['"]/g;
const bareImport = /\bimport\s*['"]/g;
const importCall = /\bimport\s*\(\s*['"]/g;

/** The imports of a file, in the order of the patterns above. */
export function findImports(text: string, view: CodeView): readonly Import[] {
  const found: Import[] = [];
  for (const match of view.code.matchAll(fromClause)) {
    const names = namesIn(match[2] ?? '');
    const isType = (name: string): boolean => match[1] !== undefined || name.startsWith('type ');
    const values = names.filter((name) => !isType(name));
    const types = names.filter(isType).map((name) => name.replace(/^type /, ''));
    found.push({ ...place(text, match), typeOnly: values.length === 0, values, types });
  }
  for (const pattern of [bareImport, importCall]) {
    for (const match of view.code.matchAll(pattern)) {
      found.push({ ...place(text, match), typeOnly: false, values: ['*'], types: [] });
    }
  }
  return found;
}

/** `{ a, type B as C }` gives `a` and `type B`. */
function namesIn(clause: string): string[] {
  const braces = /\{([^}]*)\}/.exec(clause);
  const outside = clause
    .replace(/\{[^}]*\}/, '')
    .replaceAll(',', ' ')
    .trim();
  const names = (braces?.[1] ?? '').split(',').map((name) => name.trim().replace(/\s+as\s.*$/, ''));
  return [...names.filter((name) => name !== ''), ...(outside === '' ? [] : ['*'])];
}

/** The specifier stands in the file's text where the match ends: just after the quote. */
function place(text: string, match: RegExpMatchArray): { specifier: string; line: number } {
  const quoteAt = (match.index ?? 0) + match[0].length - 1;
  const end = text.indexOf(text.charAt(quoteAt), quoteAt + 1);
  return {
    specifier: text.slice(quoteAt + 1, end),
    line: text.slice(0, quoteAt).split('\n').length,
  };
}
