/**
 * A reporter for `node --test`: one line for each test file, failures in full where they happen,
 * and at the end what was skipped or is still to do and why, what failed, and node's own counts:
 *
 *     # tests 7
 *     # suites 1
 *     # pass 5
 *     # fail 1
 *     ...
 */
import { relative } from 'node:path';
import type { TestEvent } from 'node:test/reporters';
import { inspect } from 'node:util';

/** What the events about one test have in common. */
type Result = Extract<TestEvent, { type: 'test:pass' | 'test:fail' }>;

/** Enough for any message a person reads; a dump of a large value is cut. */
const failureCharsMax = 5_000;

/** What the runner gives as the reason for tests that --test-name-pattern leaves out. */
const notChosen = 'test name does not match pattern';

const countLine = /^(?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) /;

/** The line of a file, as far as its tests have reported. */
interface FileLine {
  readonly file: string;
  tests: number;
  skipped: number;
  failed: boolean;
  milliseconds: number;
}

/** Turns the runner's events into lines. */
export class Report {
  /** Names of the suites around the test being reported, outermost first. */
  readonly #names: string[] = [];
  readonly #skipped: string[] = [];
  readonly #toDo: string[] = [];
  readonly #failed: string[] = [];
  readonly #counts: string[] = [];
  #line: FileLine | undefined;

  /** The text one event adds, which may be empty. */
  add(event: TestEvent): string {
    switch (event.type) {
      case 'test:start':
        this.#names.length = event.data.nesting;
        this.#names.push(event.data.name);
        return event.data.nesting === 0 ? this.#open(event.data.file ?? event.data.name) : '';
      case 'test:pass':
      case 'test:fail':
        return this.#result(event);
      case 'test:stdout':
      case 'test:stderr':
        return event.data.message;
      case 'test:diagnostic':
        return this.#diagnostic(event.data.message, event.data.nesting);
      default:
        return '';
    }
  }

  /** The closing lines. */
  end(): string {
    return [
      ...(this.#line === undefined ? [] : [formatLine(this.#line)]),
      ...section('Skipped', this.#skipped),
      ...section('Still to do', this.#toDo),
      ...section('Failed', this.#failed),
      '',
      ...this.#counts.map((count) => `# ${count}`),
      '',
    ].join('\n');
  }

  /** Begins the line of a file; the text is that of the file before it. */
  #open(file: string): string {
    const before = this.#line;
    if (before?.file === file) return '';
    this.#line = { file, tests: 0, skipped: 0, failed: false, milliseconds: 0 };
    return before === undefined ? '' : `${formatLine(before)}\n`;
  }

  #result(event: Result): string {
    const { data } = event;
    this.#names.length = data.nesting;
    const path = [...this.#names, data.name].join(' > ');
    const isSkip = data.skip !== undefined && data.skip !== false;
    if (data.skip === notChosen) return '';
    if (isSkip) this.#skipped.push(`${path}: ${reason(data.skip)}`);
    if (data.todo) {
      const passes = event.type === 'test:pass' ? ' (but it passes: take the mark off)' : '';
      this.#toDo.push(`${path}: ${reason(data.todo)}${passes}`);
    }
    if (this.#line !== undefined) {
      if (data.details.type !== 'suite') this.#line.tests += 1;
      if (isSkip) this.#line.skipped += 1;
      if (event.type === 'test:fail' && !data.todo) this.#line.failed = true;
      if (data.nesting === 0) this.#line.milliseconds += data.details.duration_ms;
    }
    return event.type === 'test:fail' && !data.todo ? this.#failure(event, path) : '';
  }

  #failure(event: Extract<Result, { type: 'test:fail' }>, path: string): string {
    const { data } = event;
    const { error } = data.details;
    if (failureType(error) === 'subtestsFailed') return '';
    const where = data.file === undefined ? '' : ` (${shown(data.file)}:${data.line})`;
    this.#failed.push(`${path}${where}`);
    return `✖ ${path}${where}\n${textOf(error.cause ?? error).replace(/^/gm, '    ')}\n`;
  }

  #diagnostic(message: string, nesting: number): string {
    if (nesting > 0 || !countLine.test(message)) return `  ${message}\n`;
    this.#counts.push(message);
    return '';
  }
}

/** A stack holds the message, and the message of an assertion what was expected and what came. */
function textOf(cause: unknown): string {
  if (typeof cause === 'string') return cause;
  const isError = cause instanceof Error;
  const text = isError ? (cause.stack ?? cause.message) : inspect(cause, { depth: 4 });
  const inner = isError && cause.cause !== undefined ? `\ncaused by ${textOf(cause.cause)}` : '';
  const shortened = text.length > failureCharsMax ? ` ... (${text.length} characters)` : '';
  return text.slice(0, failureCharsMax) + shortened + inner;
}

/** `✔ scripts/dist/tidy.test.js (70 tests, 659 ms)` */
function formatLine({ file, tests, skipped, failed, milliseconds }: FileLine): string {
  const skips = skipped === 0 ? '' : `, ${skipped} skipped`;
  const mark = failed ? '✖' : '✔';
  return `${mark} ${shown(file)} (${tests} tests${skips}, ${Math.round(milliseconds)} ms)`;
}

function shown(file: string): string {
  return relative(process.cwd(), file);
}

/** What the runner wraps an error in says what kind of failure it is. */
function failureType(error: Error): unknown {
  return 'failureType' in error ? error.failureType : undefined;
}

function reason(given: string | boolean | undefined): string {
  return typeof given === 'string' && given !== '' ? given : 'no reason given';
}

function section(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  return ['', `${title} (${lines.length}):`, ...lines.map((line) => `  ${line}`)];
}

/** What `node --test --test-reporter` calls for by the name `default`. */
async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string, void> {
  const lines = new Report();
  for await (const event of events) yield lines.add(event);
  yield lines.end();
}

// biome-ignore lint/style/noDefaultExport: the runner asks for it
export { report as default };
