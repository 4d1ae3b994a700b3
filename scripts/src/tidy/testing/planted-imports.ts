import { manifest, type Plant, queue, uses } from './clean-tree.js';

export const plantedImports: readonly Plant[] = [
  {
    rule: 'package-layer',
    what: 'the broker imports the server',
    files: {
      'packages/broker/package.json': manifest('@leveret/broker', uses('@leveret/amqp', 'leveret')),
      'packages/server/package.json': manifest('leveret', uses('@leveret/broker')),
      [queue]: "\nexport { x } from 'leveret';\n",
    },
    expect:
      /core\/queue\.ts:2: @leveret\/broker must not import leveret; it may import @leveret\/amqp/,
  },
  {
    rule: 'package-layer',
    what: 'the codec imports the broker',
    files: {
      'packages/amqp/package.json': manifest('@leveret/amqp', uses('@leveret/broker')),
      'packages/amqp/src/bytes.ts': "import '@leveret/broker';\n",
    },
    expect: /bytes\.ts:1: @leveret\/amqp must not import @leveret\/broker; .* no other package/,
  },
  {
    rule: 'folder-layer',
    what: 'core imports a protocol',
    files: { 'packages/broker/src/core/a.ts': "import '../protocols/amqp091/channel.js';\n" },
    expect: /core\/a\.ts:1: core imports protocols\/amqp091, .* it may import base, store/,
  },
  {
    rule: 'folder-layer',
    what: 'core imports the composing root',
    files: { 'packages/broker/src/core/a.ts': "import type { Broker } from '../broker.js';\n" },
    expect: /core\/a\.ts:1: core imports /,
  },
  {
    rule: 'folder-layer',
    what: 'one protocol imports another',
    files: {
      'packages/broker/src/protocols/mqtt/session.ts': "import '../amqp091/channel.js';\n",
    },
    expect: /mqtt\/session\.ts:1: protocols\/mqtt imports protocols\/amqp091, which is .*beside/,
  },
  {
    rule: 'folder-layer',
    what: 'core runs the codec',
    files: { 'packages/broker/src/core/a.ts': "import { FieldTable } from '@leveret/amqp';\n" },
    expect: /core\/a\.ts:1: core must not import FieldTable from .* as types .*FieldTable/,
  },
  {
    rule: 'folder-layer',
    what: 'core knows of frames',
    files: {
      'packages/broker/src/core/a.ts': "import type { FieldTable, Frame } from '@leveret/amqp';\n",
    },
    expect: /core\/a\.ts:1: core must not import Frame from/,
  },
  {
    rule: 'folder-layer',
    what: 'a folder nobody placed',
    files: { 'packages/broker/src/plugins/a.ts': 'export const a = 1;\n' },
    expect: /plugins\/a\.ts:1: the folder plugins has no layer; add it to/,
  },
  {
    rule: 'relative-import',
    what: 'a path into another package',
    files: { 'packages/broker/src/a.ts': "import '../../amqp/src/field-table.js';\n" },
    expect: /src\/a\.ts:1: .*leaves packages\/broker; import the other package by name/,
  },
  {
    rule: 'declared-dependency',
    what: 'a package nobody declared',
    files: { 'packages/server/src/a.ts': "import { pino } from 'pino';\n" },
    expect: /src\/a\.ts:1: 'pino' is not among the dependencies in packages\/server\/package\.json/,
  },
  {
    rule: 'declared-dependency',
    what: 'a sibling package nobody declared, although npm would find it',
    files: { 'packages/server/src/a.ts': "import '@leveret/amqp';\n" },
    expect: /'@leveret\/amqp' is not among the dependencies/,
  },
  {
    rule: 'public-entry',
    what: 'an import past the door',
    files: { 'packages/server/src/a.ts': "import '@leveret/broker/dist/core/queue.js';\n" },
    expect: /'@leveret\/broker\/dist\/core\/queue\.js' is not a public entry; use/,
  },
  {
    rule: 'import-cycle',
    what: 'two files that need each other to load',
    files: {
      'packages/broker/src/core/a.ts': "import './b.js';\n",
      'packages/broker/src/core/b.ts': "import './a.js';\n",
    },
    expect: /core\/b\.ts:1: imports in a circle: a\.ts > b\.ts > a\.ts; move/,
  },
];
