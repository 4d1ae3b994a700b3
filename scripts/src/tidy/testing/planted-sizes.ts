import { type Plant, queue } from './clean-tree.js';

const deep = 'packages/amqp/src/deep';

const exceptionsFile = 'scripts/src/tidy/exceptions.ts';

export const plantedSizes: readonly Plant[] = [
  {
    rule: 'file-length',
    what: 'a file that should be split soon',
    files: { [queue]: 'export {};\n'.repeat(401) },
    expect: /queue\.ts:1: warning: 401 lines, over 400; .*split/,
  },
  {
    rule: 'file-length',
    what: 'a file that is too long',
    files: { [queue]: 'export {};\n'.repeat(501) },
    expect: /queue\.ts:1: 501 lines, over 500; .*split/,
  },
  {
    rule: 'file-length',
    what: 'a file over its ratchet',
    files: { [queue]: 'export {};\n'.repeat(521) },
    exceptions: { sizes: [{ where: queue, max: 520, reason: 'a test' }], permits: [] },
    expect: /queue\.ts:1: 521 lines, over its ratchet of 520; shorten it/,
  },
  {
    rule: 'stale-exception',
    what: 'a ratchet that could be lower',
    files: { [queue]: 'export {};\n'.repeat(510) },
    exceptions: { sizes: [{ where: queue, max: 900, reason: 'a test' }], permits: [] },
    expect: /exceptions\.ts:1: .*queue\.ts has 510 lines; lower its ratchet from 900/,
  },
  {
    rule: 'stale-exception',
    what: 'an exception for what is short',
    files: { [exceptionsFile]: '' },
    exceptions: { sizes: [{ where: queue, max: 520, reason: 'a test' }], permits: [] },
    expect: /the size exception for .*queue\.ts excuses nothing; remove it/,
  },
  {
    rule: 'stale-exception',
    what: 'an exception for a call nobody makes',
    files: { [exceptionsFile]: '' },
    exceptions: { sizes: [], permits: [{ path: queue, allows: ['a timer'], reason: 'a test' }] },
    expect: /the permit for a timer in .*queue\.ts excuses nothing; remove it/,
  },
  ...longFunctions(),
  {
    rule: 'line-length',
    what: 'a line of 101 columns',
    files: { [queue]: `\n// ${'a'.repeat(98)}\n` },
    expect: /queue\.ts:2: 101 columns, over 100; break the line/,
  },
  {
    rule: 'line-length',
    what: 'a line of 101 columns besides a long string',
    files: { [queue]: `\nexport const ${'a'.repeat(82)} = '${'-'.repeat(200)}';\n` },
    expect: /queue\.ts:2: 101 columns, over 100; break the line/,
  },
  {
    rule: 'folder-size',
    what: 'a folder over its ratchet',
    files: sourceFiles(18),
    exceptions: { sizes: [{ where: deep, max: 17, reason: 'a test' }], permits: [] },
    expect: /packages\/amqp\/src\/deep:1: 18 source files, over its ratchet of 17; shorten it/,
  },
  {
    rule: 'stale-exception',
    what: 'a folder that shrank',
    files: sourceFiles(16),
    exceptions: { sizes: [{ where: deep, max: 17, reason: 'a test' }], permits: [] },
    expect: /deep has 16 source files; lower its ratchet from 17/,
  },
  {
    rule: 'folder-size',
    what: 'sixteen source files in one folder',
    files: sourceFiles(16),
    expect: /packages\/amqp\/src\/deep:1: 16 source files, over 15; group them by concept/,
  },
];

/** The same 71 lines as each kind of function, so that none of the kinds goes uncounted. */
function longFunctions(): Plant[] {
  const body = '  one();\n'.repeat(69);
  const kinds: readonly (readonly [name: string, header: string, footer: string])[] = [
    ['plain', 'export function plain(a: string): void {', '}'],
    ['arrow', 'export const arrow = (a: string): { a: string } => {', '}'],
    ['method', 'export class A { async method<T>(a: T): Promise<{ b: T }> {', '} }'],
    ['#own', 'export class A { #own(a = f(1)) {', '} }'],
    ['the callback of b.on', "export const a = b.on('x', async () => {", '});'],
  ];
  return kinds.map(([name, header, footer]) => ({
    rule: 'function-length',
    what: `a long function, ${name}`,
    files: { [queue]: `\n${header}\n${body}${footer}\n` },
    expect: new RegExp(`queue\\.ts:2: ${name} has 71 lines, over 70; give its steps names`),
  }));
}

function sourceFiles(count: number): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, at) => [`${deep}/f${at}.ts`, 'export {};\n']),
  );
}
