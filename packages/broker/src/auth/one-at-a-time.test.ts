import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OneAtATime } from './one-at-a-time.js';

test('tasks run one after the other, in order, whatever becomes of them', async () => {
  const tasks = new OneAtATime();
  const said: string[] = [];
  const task = (name: string, failure?: Error) => async (): Promise<string> => {
    said.push(`${name} begins`);
    await Promise.resolve();
    said.push(`${name} ends`);
    if (failure !== undefined) throw failure;
    return name;
  };
  const results = [task('a'), task('b', new Error('b fails')), task('c')].map((each) =>
    tasks.run(each),
  );
  assert.equal(tasks.waiting, 3);
  const settled = await Promise.allSettled(results);
  assert.deepEqual(said, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  assert.deepEqual(
    settled.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  assert.equal(tasks.waiting, 0);
});
