import type { Exceptions } from '../exceptions.js';
import type { RuleName } from '../finding.js';

/** A violation to plant in the clean tree. */
export interface Plant {
  readonly rule: RuleName;
  readonly what: string;
  /** Files to write over the clean tree. */
  readonly files: Readonly<Record<string, string>>;
  /** The whole line tidy must print. */
  readonly expect: RegExp;
  readonly exceptions?: Exceptions;
}

/** A package.json with one public entry, `.`. */
export function manifest(name: string, more: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ name, version: '0.1.0', exports: { '.': './dist/index.js' }, ...more });
}

/** What to add to a manifest so that these packages may be imported by name. */
export function uses(...names: readonly string[]): Record<string, unknown> {
  return { dependencies: Object.fromEntries(names.map((name) => [name, '0.1.0'])) };
}

/** Obeys every rule. */
export const cleanTree: Readonly<Record<string, string>> = {
  'package.json': JSON.stringify({
    workspaces: ['packages/amqp', 'packages/broker', 'packages/server'],
  }),
  'package-lock.json': '{\n  "resolved": "packages/amqp"\n}\n',
  'README.md': '# A page\n\n[to the other](docs/page.md#a-heading), [home](#a-page)\n',
  'docs/page.md':
    '# A `second` heading, of two\n\n## A heading\n\n```\n[no link](in/a/fence)\n```\n',
  'packages/amqp/package.json': manifest('@leveret/amqp'),
  'packages/amqp/src/index.ts': "export type { FieldTable } from './field-table.js';\n",
  'packages/amqp/src/field-table.ts': 'export type FieldTable = Map<string, string>;\n',
  'packages/broker/package.json': manifest('@leveret/broker', uses('@leveret/amqp')),
  'packages/broker/src/index.ts': "export { Broker } from './broker.js';\n",
  'packages/broker/src/broker.ts': [
    "import { Queue } from './core/queue.js';",
    "import { Channel } from './protocols/amqp091/channel.js';",
    '// In here a word like setTimeout( is only a word, and so is process.exit.',
    "export const text = 'Date.now() and `import x from y`';",
    `export const verbatim = '${'-'.repeat(200)}';`,
    'export class Broker { readonly parts = [Queue, Channel]; }',
  ].join('\n'),
  'packages/broker/src/base/clock.ts': 'export const now = (): number => Date.now();\n',
  'packages/broker/src/core/queue.ts': [
    "import type { FieldTable } from '@leveret/amqp';",
    "import { now } from '../base/clock.js';",
    'export class Queue { readonly made = now(); readonly arguments?: FieldTable; }',
  ].join('\n'),
  'packages/broker/src/protocols/amqp091/channel.ts': [
    "import type { FieldTable } from '@leveret/amqp';",
    "import { Queue } from '../../core/queue.js';",
    'export class Channel { readonly queue = new Queue(); readonly table?: FieldTable; }',
  ].join('\n'),
  'packages/server/package.json': manifest('leveret', uses('@leveret/broker')),
  'packages/server/src/main.ts': [
    "import { Broker } from '@leveret/broker';",
    'process.exitCode = new Broker() === undefined ? 1 : 0;',
  ].join('\n'),
};

export const queue = 'packages/broker/src/core/queue.ts';
export const channel = 'packages/broker/src/protocols/amqp091/channel.ts';
