import type { Permits } from '../exceptions.js';
import { type Finding, violation } from '../finding.js';
import type { SourceFile, Tree } from '../tree.js';

/**
 * Time, chance, disk and sockets come in by constructor, so that a test can give others. This is
 * the table of what would let them in by the back door, and of the few files that are the door.
 */
interface Ban {
  readonly what: string;
  readonly pattern: RegExp;
  readonly instead: string;
  /** Where the ban holds: folders. */
  readonly within: readonly string[];
  readonly except: readonly string[];
}

const engine = ['packages/amqp/src', 'packages/broker/src', 'packages/client/src'];
const broker = 'packages/broker/src';
const clock = [`${broker}/base/clock.ts`];
const random = [`${broker}/base/random.ts`];
const disk = `${broker}/store/disk/node-files.ts`;
const machine = `${broker}/base/machine.ts`;
const lock = `${broker}/store/disk/directory-lock.ts`;

const calls: readonly Ban[] = [
  {
    what: 'Date.now',
    pattern: /\bDate\.now\b/g,
    instead: 'ask a Clock',
    within: engine,
    except: clock,
  },
  {
    what: 'new Date()',
    pattern: /\bnew Date\(\s*\)/g,
    instead: 'ask a Clock',
    within: engine,
    except: clock,
  },
  {
    what: 'performance.now',
    pattern: /\bperformance\.now\b/g,
    instead: 'ask a Clock',
    within: engine,
    except: clock,
  },
  {
    what: 'a timer',
    pattern: /(?<![\w.#$])(?:set|clear)(?:Timeout|Interval|Immediate)\b/g,
    instead: 'use a Clock',
    within: engine,
    except: clock,
  },
  {
    what: 'Math.random',
    pattern: /\bMath\.random\b/g,
    instead: 'use a Random',
    within: engine,
    except: random,
  },
  {
    what: 'process',
    // What nextTick does has nothing to do with the process, nor with time.
    pattern: /(?<![\w.#$])process\s*\.\s*(?!nextTick\b)\w+/g,
    instead: 'argv, env and signals belong to packages/server; take what you need as an argument',
    within: engine,
    except: [],
  },
  {
    what: 'process',
    pattern: /(?<![\w.#$])process\s*\.\s*\w+/g,
    instead: 'only main.ts speaks to the process; take what you need as an argument',
    within: ['packages/server/src'],
    except: ['packages/server/src/main.ts'],
  },
  {
    what: 'console',
    pattern: /(?<![\w.#$])console\s*\.\s*\w+/g,
    instead: 'use the Logger',
    within: [...engine, 'packages/server/src'],
    except: [],
  },
];

/** Node's own modules that may be used without asking; the others need a line below. */
const freeModules: ReadonlySet<string> = new Set([
  'node:assert',
  'node:assert/strict',
  'node:buffer',
  'node:crypto',
  'node:events',
  'node:path',
  'node:stream',
  'node:util',
  'node:zlib',
]);

const modulePorts: ReadonlyMap<string, readonly string[]> = new Map([
  ['node:net', [`${broker}/listening/listener.ts`, lock]],
  ['node:fs', [disk, lock]],
  ['node:fs/promises', [disk, lock]],
  ['node:os', [machine]],
  ['node:tls', [`${broker}/listening/tls-listener.ts`]],
  ['node:process', [lock, machine]],
  ['node:v8', [machine]],
]);

/** Names of `node:crypto` that are chance, not arithmetic. */
const randomNames = ['randomBytes', 'randomInt', 'randomUUID', 'randomFillSync', 'randomFill'];

export function checkPorts(tree: Tree, permits: Permits): Finding[] {
  return tree.typeScript
    .filter((file) => !file.isTest)
    .flatMap((file) => [...bannedCalls(file, permits), ...bannedModules(file, permits)]);
}

function bannedCalls(file: SourceFile, permits: Permits): Finding[] {
  return calls.flatMap((ban) => {
    if (!isWithin(file.path, ban.within) || ban.except.includes(file.path)) return [];
    return [...file.view.code.matchAll(ban.pattern)].flatMap((match) => {
      if (permits.allow(file.path, ban.what)) return [];
      const message = `${match[0]} outside its port; ${ban.instead}`;
      return [violation(file.path, file.lineAt(match.index), 'banned-call', message)];
    });
  });
}

function bannedModules(file: SourceFile, permits: Permits): Finding[] {
  if (!isWithin(file.path, engine)) return [];
  return file.imports.flatMap((found) => {
    const { specifier, line } = found;
    if (!specifier.startsWith('node:') || found.typeOnly) return [];
    const chance = specifier === 'node:crypto' && !random.includes(file.path);
    const names = chance ? found.values.filter((name) => randomNames.includes(name)) : [];
    if (names.length > 0 && !permits.allow(file.path, 'node:crypto')) {
      const message = `${names.join(', ')} of node:crypto outside its port; use a Random`;
      return [violation(file.path, line, 'banned-module', message)];
    }
    if (freeModules.has(specifier) || modulePorts.get(specifier)?.includes(file.path)) return [];
    if (permits.allow(file.path, specifier)) return [];
    const message = `${specifier} outside its port; take what it gives through an interface`;
    return [violation(file.path, line, 'banned-module', message)];
  });
}

function isWithin(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => path.startsWith(`${folder}/`));
}
