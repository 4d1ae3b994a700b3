import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { brokerUnderTest } from '../broker-under-test.js';
import { deleteAfterwards } from '../clients/delete-afterwards.js';
import { Program } from '../clients/program.js';
import { repositoryPath } from '../clients/repository.js';
import { runChecks } from './checked-program.js';
import { pythonCommand, withoutPython } from './interpreter.js';

const broker = await brokerUnderTest();
const skip = await withoutPython('celery');

test('celery', { skip }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'celery-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const run = randomBytes(4).toString('hex');
  const names = ['celery', 'chords', 'urgent', 'late'].map((name) => `${name}-${run}`);
  deleteAfterwards(broker, { queues: names, exchanges: names });
  const env = {
    AMQP_URL: broker.url,
    RUN: run,
    PYTHONPATH: repositoryPath('test/conformance/python'),
    PYTHONDONTWRITEBYTECODE: '1',
    FILE_BACKEND: `file://${folder}`,
  };
  const [first, second] = [`first@${run}`, `second@${run}`];

  // One after the other would take twice as long.
  const workers = await Promise.all([
    startWorker(t, { ...env }, ['-n', first, '-Q', `celery-${run}`, '-c', '2', '-P', 'prefork']),
    startWorker(t, { ...env, RESULT_BACKEND: env.FILE_BACKEND }, [
      ...['-n', second, '-Q', `chords-${run}`, '-c', '1', '-P', 'solo'],
    ]),
  ]);
  await runChecks(
    t,
    pythonCommand(repositoryPath('test/conformance/python/celery_checks.py'), [], {
      ...env,
      FIRST: first,
      SECOND: second,
      SECOND_PID: String(workers[1].pid),
    }),
  );
});

/** A worker that is ready to take tasks, and is asked to stop after the test. */
async function startWorker(
  t: TestContext,
  env: Readonly<Record<string, string>>,
  options: readonly string[],
): Promise<Program> {
  const args = ['celery', '-A', 'celery_app', 'worker', '--loglevel=INFO', ...options];
  const worker = Program.start(t, pythonCommand('-m', args, env), 'SIGTERM');
  await worker.line(/ ready\.$/);
  return worker;
}
