import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal } from '../core/refusal.js';
import { TopicRules } from './topic-rules.js';

const topic = { vhost: 'v', exchange: 'amq.topic', write: '', read: '' };

test('names stand for themselves, whatever they would mean in a regular expression', () => {
  const rules = new TopicRules({ ...topic, user: 'a.*[b', write: '^{username}-{vhost}$' });
  const { write, read } = rules.of(undefined);
  assert.equal(write.allows('a.*[b-v'), true);
  assert.equal(write.allows('axx[b-v'), false);
  assert.equal(read.allows('a.*[b-v'), false);
});

test('a client’s id is put in for that client, and for no other', () => {
  const rules = new TopicRules({ ...topic, user: 'u', write: '^{client_id}\\.', read: '.*' });
  assert.equal(rules.of('c1').write.allows('c1.x'), true);
  assert.equal(rules.of('c1').write.allows('c2.x'), false);
  assert.equal(rules.of(undefined).write.allows('c1.x'), false);
});

test('what is no regular expression is refused', () => {
  assert.throws(() => new TopicRules({ ...topic, user: 'u', read: '(' }), Refusal);
});

test('a regular expression that takes for ever elsewhere does not here', () => {
  const rules = new TopicRules({ ...topic, user: 'u', write: '^(a+)+$' });
  assert.equal(rules.of(undefined).write.allows(`${'a'.repeat(254)}!`), false);
});
