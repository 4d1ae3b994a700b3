import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Command } from '../clients/program.js';

/** Debian's python3, which has the packages that `npm run setup:interop` installs. */
const python = process.env.INTEROP_PYTHON ?? '/usr/bin/python3';

/** A python program with unbuffered output. */
export function pythonCommand(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Command {
  return { file: python, args: [program, ...args], env: { PYTHONUNBUFFERED: '1', ...env } };
}

/**
 * For a test's `skip`: false when python has the modules, else why not and what to run. In CI
 * (`CI=true`) nothing may be missing, so there it throws.
 */
export async function withoutPython(...modules: readonly string[]): Promise<string | false> {
  try {
    await promisify(execFile)(python, ['-c', `import ${modules.join(', ')}`]);
    return false;
  } catch (error) {
    const why = `${python} cannot import ${modules.join(', ')}: npm run setup:interop`;
    if (process.env.CI === 'true') throw new Error(why, { cause: error });
    return why;
  }
}
