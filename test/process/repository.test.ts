import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { LeveretProcess, repository } from './leveret-process.js';

/** What README.md tells a newcomer to type, in this repository. */
describe('the repository', () => {
  it('has npx leveret', () => {
    const manifest = readFileSync(join(repository, 'packages/server/package.json'), 'utf8');
    const run = spawnSync('npx', ['leveret', '--version'], { cwd: repository, encoding: 'utf8' });
    assert.equal(run.stdout, `${JSON.parse(manifest).version}\n`, run.stderr);
    assert.equal(run.status, 0);
  });

  it('has every program that its npm scripts run', () => {
    const { scripts } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
    const programs = Object.values<string>(scripts).flatMap((script) => {
      return [...script.matchAll(/\S+\.(?:js|sh)\b/g)].map(([path]) => path);
    });
    assert.ok(programs.includes('bench/dist/backlog.js'));
    assert.deepEqual(
      programs.filter((path) => !existsSync(join(repository, path))),
      [],
    );
  });

  it('has npm start, which hands on its arguments and its signals', async (t) => {
    const npm = new LeveretProcess(t, 'npm', ['start', '--', '--port', '0']);
    assert.match(await npm.ready(), /^amqp:\/\/guest:guest@127\.0\.0\.1:\d+$/);
    npm.signal('SIGTERM');
    await npm.exited;
    await npm.logged(/\[info\] stopped$/m);
  });
});
