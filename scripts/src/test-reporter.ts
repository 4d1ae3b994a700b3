/**
 * A reporter for `node --test`: one line for each top-level suite or test, failures in full where
 * they happen, and at the end what was skipped and why, what failed, and node's own counts:
 *
 *     # tests 7
 *     # suites 1
 *     # pass 5
 *     # fail 1
 *     ...
 */
import type { TestEvent } from 'node:test/reporters';
import { inspect } from 'node:util';

/** What the events about one test have in common. */
type Result = Extract<TestEvent, { type: 'test:pass' | 'test:fail' }>;

const countLine = /^(?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) /;

/** Turns the runner's events into lines. */
export class Report {
  /** Names of the suites around the test being reported, outermost first. */
  readonly #names: string[] = [];
  readonly #skipped: string[] = [];
  readonly #failed: string[] = [];
  readonly #counts: string[] = [];
  #testsInside = 0;

  /** The text one event adds, which may be empty. */
  add(event: TestEvent): string {
    switch (event.type) {
      case 'test:start':
        this.#names.length = event.data.nesting;
        this.#names.push(event.data.name);
        return '';
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
      ...section('Skipped', this.#skipped),
      ...section('Failed', this.#failed),
      '',
      ...this.#counts.map((count) => `# ${count}`),
      '',
    ].join('\n');
  }

  #result(event: Result): string {
    const { data } = event;
    this.#names.length = data.nesting;
    const path = [...this.#names, data.name].join(' > ');
    if (data.details.type !== 'suite') this.#testsInside += 1;
    const isSkip = data.skip !== undefined && data.skip !== false;
    if (isSkip) this.#skipped.push(`${path}: ${reason(data.skip)}`);
    const failure = event.type === 'test:fail' && !data.todo ? this.#failure(event, path) : '';
    if (data.nesting > 0) return failure;
    const mark = isSkip ? '-' : event.type === 'test:pass' ? '✔' : data.todo ? '~' : '✖';
    const inside = data.details.type === 'suite' ? `${this.#testsInside} tests, ` : '';
    this.#testsInside = 0;
    return `${failure}${mark} ${data.name} (${inside}${Math.round(data.details.duration_ms)} ms)\n`;
  }

  #failure(event: Extract<Result, { type: 'test:fail' }>, path: string): string {
    const { data } = event;
    const { error } = data.details;
    if (failureType(error) === 'subtestsFailed') return '';
    const where = data.file === undefined ? '' : ` (${data.file}:${data.line}:${data.column})`;
    this.#failed.push(`${path}${where}`);
    const cause = error.cause instanceof Error ? error.cause : (error.cause ?? error);
    const text = typeof cause === 'string' ? cause : inspect(cause, { depth: 4 });
    return `✖ ${path}${where}\n${text.replace(/^/gm, '    ')}\n`;
  }

  #diagnostic(message: string, nesting: number): string {
    if (nesting > 0 || !countLine.test(message)) return `  ${message}\n`;
    this.#counts.push(message);
    return '';
  }
}

/** What the runner wraps an error in says what kind of failure it is. */
function failureType(error: Error): unknown {
  return 'failureType' in error ? error.failureType : undefined;
}

function reason(skip: string | boolean | undefined): string {
  return typeof skip === 'string' && skip !== '' ? skip : 'no reason given';
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
