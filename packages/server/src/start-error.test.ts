import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NewerFormatError } from '@leveret/broker';
import { explainStartFailure, StartError } from './start-error.js';

describe('explainStartFailure', () => {
  const cases: readonly (readonly [particulars: object, line: RegExp])[] = [
    [
      { code: 'EADDRINUSE', address: '127.0.0.1', port: 5672 },
      /^cannot listen on 127\.0\.0\.1:5672: the port is in use\. Stop the other program or/,
    ],
    [
      { code: 'EADDRINUSE', address: '::1', port: 5672 },
      /^cannot listen on \[::1\]:5672: the port/,
    ],
    [{ code: 'EACCES', address: '::', port: 80 }, /^cannot listen on \[::\]:80: not permitted\. /],
    [
      { code: 'EADDRNOTAVAIL', address: '8.8.8.8' },
      /^cannot listen on 8\.8\.8\.8: this machine has/,
    ],
    [
      { code: 'ENOTFOUND', hostname: 'mq.invalid' },
      /^cannot listen on mq\.invalid: the name has no/,
    ],
    [
      { code: 'EMFILE', syscall: 'listen', address: '::1', port: 1 },
      /^cannot listen .*: EMFILE\. /,
    ],
  ];
  for (const [particulars, line] of cases) {
    it(`says in words: ${line.source}`, () => {
      const explained = explainStartFailure(Object.assign(new Error('raw'), particulars));
      assert.ok(explained instanceof StartError);
      assert.match(explained.message, line);
    });
  }

  it('names the data directory that a newer version wrote', () => {
    const explained = explainStartFailure(new NewerFormatError('it has format 9'), '/data');
    assert.ok(explained instanceof StartError);
    assert.match(
      explained.message,
      /^cannot read the data directory \/data: it has format 9\. Start/,
    );
  });

  it('leaves a bug as it is', () => {
    const bug = new TypeError('x is not a function');
    assert.equal(explainStartFailure(bug), bug);
  });
});
