/** Text that would break a rule of this very repository is put together from pieces. */
import { manifest, type Plant, queue } from './clean-tree.js';

export const plantedLeftovers: readonly Plant[] = [
  ...['TO-DO', 'FIX-ME', 'XX-X'].map((word): Plant => {
    const mark = word.replace('-', '');
    return {
      rule: 'leftover',
      what: mark,
      files: { [queue]: `\n// ${mark}: later\nexport const a = '${mark} in a string';\n` },
      expect: new RegExp(`queue\\.ts:2: ${mark} left behind; do it now`),
    };
  }),
  {
    rule: 'only-test',
    what: 'a focused test',
    files: { 'packages/amqp/src/a.test.ts': "import { it } from 'node:test';\nit.only('a', f);\n" },
    expect: /a\.test\.ts:2: only this test would run; remove the only/,
  },
  {
    rule: 'only-test',
    what: 'a focused test, as an option',
    files: { 'packages/amqp/src/a.test.ts': "\nit('a', { only: true }, f);\n" },
    expect: /a\.test\.ts:2: only this test would run; remove the only/,
  },
  {
    rule: 'skip-reason',
    what: 'a test skipped without a reason',
    files: { 'packages/amqp/src/a.test.ts': "it.skip('a', f);\n" },
    expect: /a\.test\.ts:1: a test skipped without a word; write/,
  },
  {
    rule: 'default-export',
    what: 'a default export',
    files: { [queue]: 'export default 1;\n' },
    expect: /queue\.ts:1: a default export .*; export it by name/,
  },
];

export const plantedNames: readonly Plant[] = [
  ...['string-utils', 'helpers', 'common', 'queue-manager'].map((name): Plant => {
    return {
      rule: 'file-name',
      what: `${name}.ts`,
      files: { [`packages/amqp/src/${name}.ts`]: 'export {};\n' },
      expect: new RegExp(`${name}\\.ts:1: ${name}\\.ts is a drawer, not a name; name the concept`),
    };
  }),
  {
    rule: 'file-name',
    what: 'a folder that is a drawer',
    files: { 'packages/amqp/src/utils/bytes.ts': 'export {};\n' },
    expect: /bytes\.ts:1: utils is a drawer/,
  },
  {
    rule: 'file-name',
    what: 'camel case',
    files: { 'packages/amqp/src/fieldTable.ts': 'export {};\n' },
    expect: /fieldTable\.ts:1: fieldTable\.ts is not kebab-case; rename it/,
  },
  {
    rule: 'barrel',
    what: 'an index.ts inside a package',
    files: { 'packages/broker/src/core/index.ts': "export { Queue } from './queue.js';\n" },
    expect: /core\/index\.ts:1: index\.ts belongs at a package door only; import the files/,
  },
];

export const plantedLinks: readonly Plant[] = [
  {
    rule: 'broken-link',
    what: 'a page that is not there',
    files: { 'README.md': '# A page\n\n[gone](docs/gone.md)\n' },
    expect: /README\.md:3: docs\/gone\.md points at nothing; correct it/,
  },
  {
    rule: 'broken-link',
    what: 'a heading that is not there',
    files: { 'README.md': '[gone](docs/page.md#no-such-heading)\n' },
    expect: /README\.md:1: .* names a heading that docs\/page\.md does not have; correct it/,
  },
  {
    rule: 'broken-link',
    what: 'a reference link to nothing',
    files: { 'docs/page.md': '# A heading\n\n[a]: gone.md\n' },
    expect: /docs\/page\.md:3: gone\.md points at nothing/,
  },
  {
    rule: 'broken-link',
    what: 'a link out of the repository',
    files: { 'docs/page.md': '# A heading\n\n[a](../../elsewhere.md)\n' },
    expect: /docs\/page\.md:3: .* leaves the repository/,
  },
];

export const plantedPackaging: readonly Plant[] = [
  {
    rule: 'lockfile',
    what: 'the address of a registry',
    files: { 'package-lock.json': '{\n  "resolved": "https://registry.example/a-1.0.0.tgz"\n}\n' },
    expect: /package-lock\.json:2: resolved names the address https:.*; write the file with npm/,
  },
  {
    rule: 'pinned-version',
    what: 'a range of versions',
    files: {
      'packages/amqp/package.json': manifest('@leveret/amqp', { devDependencies: { a: '^1.0.0' } }),
    },
    expect: /package\.json:1: a is asked for as \^1\.0\.0; pin one exact version/,
  },
  ...['../shar|ed/design.md', '/wor|k/main/a.ts', '/hom|e/me/a', '.librar|y/search'].map(
    (pieces): Plant => {
      const path = pieces.replace('|', '');
      return {
        rule: 'foreign-path',
        what: path,
        files: { 'docs/page.md': `# A heading\n\n\`see ${path}\`\n` },
        expect: /docs\/page\.md:3: .* is outside the repository; the product must not know of it/,
      };
    },
  ),
];
