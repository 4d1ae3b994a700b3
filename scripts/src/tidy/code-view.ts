/**
 * Two views of a TypeScript file, each as long as the file and with its line breaks in place, so
 * that an offset found in a view is an offset in the file:
 *
 *     text      const a = 'x;' // note
 *     code      const a = '  '
 *     comments                    // note
 *
 * `code` has comments, and the insides of strings, templates and regular expressions, blanked;
 * `comments` has everything else blanked. A rule that looks for code cannot be fooled by text, nor
 * one that looks for remarks by code.
 */
export interface CodeView {
  readonly code: string;
  readonly comments: string;
}

export function viewCode(text: string): CodeView {
  return new Scanner(text).scan();
}

/** After one of these words a `/` starts a regular expression; after another word it divides. */
const wordsBeforeRegex: ReadonlySet<string> = new Set([
  'return',
  'typeof',
  'case',
  'in',
  'of',
  'do',
  'else',
  'void',
  'delete',
  'throw',
  'new',
  'yield',
  'await',
]);

class Scanner {
  readonly #text: string;
  readonly #code: string[] = [];
  readonly #comments: string[] = [];
  /** For each `${` that is open: how many `{` were opened inside it. */
  readonly #templateDepths: number[] = [];
  #at = 0;
  /** The last piece of code that is not a space: a punctuator, or a whole word. */
  #previous = '';

  constructor(text: string) {
    this.#text = text;
  }

  scan(): CodeView {
    while (this.#at < this.#text.length) this.#step();
    return { code: this.#code.join(''), comments: this.#comments.join('') };
  }

  #step(): void {
    const char = this.#text.charAt(this.#at);
    const pair = this.#text.slice(this.#at, this.#at + 2);
    if (pair === '//') this.#comment(this.#endOfLine());
    else if (pair === '/*') this.#comment(this.#after('*/', this.#at + 2));
    else if (char === "'" || char === '"') this.#quoted(char);
    else if (char === '`') this.#template();
    else if (char === '/' && this.#regexMayStart()) this.#regex();
    else if (/[\w$]/.test(char)) this.#word();
    else this.#punctuator(char);
  }

  #word(): void {
    const end =
      this.#at + (/^[\w$]+/.exec(this.#text.slice(this.#at, this.#at + 200))?.[0].length ?? 1);
    this.#previous = this.#text.slice(this.#at, end);
    this.#keepAsCode(end);
  }

  #punctuator(char: string): void {
    const depths = this.#templateDepths;
    const innermost = depths.length - 1;
    if (char === '}' && depths[innermost] === 0) {
      depths.pop();
      this.#keepAsCode(this.#at + 1);
      this.#templateText();
      return;
    }
    if (char === '{' && innermost >= 0) depths[innermost] = (depths[innermost] ?? 0) + 1;
    if (char === '}' && innermost >= 0) depths[innermost] = (depths[innermost] ?? 0) - 1;
    if (char.trim() !== '') this.#previous = char;
    this.#keepAsCode(this.#at + 1);
  }

  #quoted(quote: string): void {
    let end = this.#at + 1;
    while (end < this.#text.length && this.#text[end] !== quote && this.#text[end] !== '\n') {
      end += this.#text[end] === '\\' ? 2 : 1;
    }
    this.#keepAsCode(this.#at + 1);
    this.#blank(Math.min(end, this.#text.length));
    if (this.#text[this.#at] === quote) this.#keepAsCode(this.#at + 1);
    this.#previous = quote;
  }

  #template(): void {
    this.#keepAsCode(this.#at + 1);
    this.#templateText();
  }

  /** The text of a template up to its closing backtick, or up to and with the next `${`. */
  #templateText(): void {
    let end = this.#at;
    while (end < this.#text.length && this.#text[end] !== '`') {
      if (this.#text.startsWith('${', end)) {
        this.#blank(end);
        this.#keepAsCode(end + 2);
        this.#templateDepths.push(0);
        this.#previous = '{';
        return;
      }
      end += this.#text[end] === '\\' ? 2 : 1;
    }
    this.#blank(Math.min(end, this.#text.length));
    if (this.#at < this.#text.length) this.#keepAsCode(this.#at + 1);
    this.#previous = '`';
  }

  #regexMayStart(): boolean {
    if (this.#previous === '') return true;
    if (/^[\w$]+$/.test(this.#previous)) return wordsBeforeRegex.has(this.#previous);
    return !')]}\'"`'.includes(this.#previous);
  }

  #regex(): void {
    let end = this.#at + 1;
    let inClass = false;
    while (end < this.#text.length && this.#text[end] !== '\n') {
      const char = this.#text[end];
      if (char === '/' && !inClass) break;
      if (char === '[') inClass = true;
      if (char === ']') inClass = false;
      end += char === '\\' ? 2 : 1;
    }
    this.#keepAsCode(this.#at + 1);
    this.#blank(Math.min(end, this.#text.length));
    if (this.#text[this.#at] === '/') this.#keepAsCode(this.#at + 1);
    this.#previous = ')';
  }

  #comment(end: number): void {
    const part = this.#text.slice(this.#at, end);
    this.#comments.push(part);
    this.#code.push(blanked(part));
    this.#at = end;
  }

  #keepAsCode(end: number): void {
    const part = this.#text.slice(this.#at, end);
    this.#code.push(part);
    this.#comments.push(blanked(part));
    this.#at = end;
  }

  #blank(end: number): void {
    const part = blanked(this.#text.slice(this.#at, end));
    this.#code.push(part);
    this.#comments.push(part);
    this.#at = end;
  }

  #endOfLine(): number {
    const end = this.#text.indexOf('\n', this.#at);
    return end === -1 ? this.#text.length : end;
  }

  #after(mark: string, from: number): number {
    const found = this.#text.indexOf(mark, from);
    return found === -1 ? this.#text.length : found + mark.length;
  }
}

function blanked(text: string): string {
  return text.replace(/[^\n]/g, ' ');
}
