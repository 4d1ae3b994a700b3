import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLogger } from './log.js';
import type { LogFormat, LogLevel } from './options.js';

const time = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z`;

describe('createLogger', () => {
  it('writes a line of text: time, level, message, fields', () => {
    const { logger, lines } = collect('info', 'text');
    logger.info('listening', { address: '127.0.0.1:5672', name: 'a b', channels: 2047 });
    assert.equal(lines.length, 1);
    const fields = 'address=127.0.0.1:5672 name="a b" channels=2047';
    assert.match(lines[0] ?? '', new RegExp(`^${time} \\[info\\] listening ${fields}\n$`));
  });

  it('keeps the line of an error short and puts the stack below', () => {
    const { logger, lines } = collect('info', 'text');
    logger.error('connection failed', { error: new Error('it broke') });
    assert.match(
      lines[0] ?? '',
      /\[error\] connection failed error="it broke"\n {4}Error: it broke\n {8}at /,
    );
  });

  it('cannot be made to start a second line by what a peer chose', () => {
    const { logger, lines } = collect('info', 'text');
    logger.warn('login\nrefused', { user: 'x\n2026-01-01 [info] all is well' });
    assert.equal(lines.join('').match(/\n/g)?.length, 1);
  });

  it('writes JSON with the level by name', () => {
    const { logger, lines } = collect('info', 'json');
    logger.warn('hello', { port: 1 });
    const { time: _, ...record } = JSON.parse(lines[0] ?? '');
    assert.deepEqual(record, { level: 'warn', port: 1, msg: 'hello' });
  });

  it('writes what is as grave as its level or graver', () => {
    const { logger, lines } = collect('warn', 'text');
    logger.trace('a');
    logger.debug('b');
    logger.info('c');
    logger.warn('d');
    logger.error('e');
    assert.deepEqual(
      lines.map((line) => line.replace(/^.*\] /, '')),
      ['d\n', 'e\n'],
    );
  });

  it('writes nothing when silent', () => {
    const { logger, lines } = collect('silent', 'text');
    logger.error('a');
    assert.deepEqual(lines, []);
  });
});

function collect(level: LogLevel, format: LogFormat) {
  const lines: string[] = [];
  const logger = createLogger(level, format, { write: (line) => lines.push(line) });
  return { logger, lines };
}
