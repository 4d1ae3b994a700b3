import { channel, type Plant, queue } from './clean-tree.js';

export const plantedCalls: readonly Plant[] = [
  ...(
    [
      ['Date.now', 'Date.now()', 'ask a Clock'],
      ['new Date', 'new Date()', 'ask a Clock'],
      ['performance.now', 'performance.now()', 'ask a Clock'],
      ['setTimeout', 'setTimeout(f, 1)', 'use a Clock'],
      ['setInterval', 'setInterval(f, 1)', 'use a Clock'],
      ['setImmediate', 'setImmediate(f)', 'use a Clock'],
      ['Math.random', 'Math.random()', 'use a Random'],
      ['process.env', 'process.env', 'argv, env and signals belong to'],
      ['console.log', 'console.log()', 'use the Logger'],
    ] as const
  ).map(([call, code, advice]): Plant => {
    const text = `export const a = () => {\n  return \`\${${code}}\`;\n};\n`;
    return {
      rule: 'banned-call',
      what: `${call}, inside a template`,
      files: { [queue]: text },
      expect: new RegExp(`queue\\.ts:2: ${call}.* outside its port; ${advice}`),
    };
  }),
  {
    rule: 'banned-call',
    what: 'the process in a file of the server other than main.ts',
    files: { 'packages/server/src/options.ts': 'export const a = process.argv;\n' },
    expect: /options\.ts:1: process\.argv outside its port; only main\.ts speaks to the process/,
  },
  ...['node:fs', 'node:fs/promises', 'node:net', 'node:child_process', 'node:timers'].map(
    (name): Plant => ({
      rule: 'banned-module',
      what: name,
      files: { [channel]: `import { x } from '${name}';\n` },
      expect: new RegExp(`channel\\.ts:1: ${name} outside its port; take what it gives through`),
    }),
  ),
  {
    rule: 'banned-module',
    what: 'chance from node:crypto',
    files: { [channel]: "import { createHash, randomBytes } from 'node:crypto';\n" },
    expect: /channel\.ts:1: randomBytes of node:crypto outside its port; use a Random/,
  },
];
