import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leveret, ownLauncher } from '../brokers/leveret.js';
import { NO_FAULTS } from '../load/sequence-check.js';
import { runCourse } from './course.js';

test('a backlog is whole after a crash, and what was taken from it comes again', async () => {
  const source = leveret({ name: 'Leveret', launcher: ownLauncher, nodeOptions: [] });
  const load = { messages: 20_000, bodyBytes: 100, unacknowledged: 5_000 };
  const course = await runCourse(source, load);
  assert.deepEqual(course.faults, NO_FAULTS);
  assert.equal(course.cameBack, 0);
  assert.ok(course.redelivered >= 5_000 && course.redelivered < 20_000, `${course.redelivered}`);
  for (const phase of [course.fill, course.unacknowledged, course.drain]) {
    assert.ok((phase?.parts.length ?? 0) > 0);
    assert.ok((phase?.peakMebibytes ?? 0) > 10);
  }
  assert.ok(course.restartMilliseconds > 0);
});
