import type { Logger } from '@leveret/broker';
import { pino, stdSerializers, stdTimeFunctions } from 'pino';
import type { LogFormat, LogLevel } from './options.js';

/** Where log lines go; `process.stderr` is one. */
export interface LogSink {
  write(line: string): unknown;
}

/**
 * A logger that writes whole lines at once, from this thread: what was logged before a crash is
 * there after it. As JSON a line is pino's own; as text it is
 *
 *     2026-11-20 06:01:02.123Z [info] listening on 127.0.0.1:5672 port=5672
 */
export function createLogger(level: LogLevel, format: LogFormat, sink: LogSink): Logger {
  const destination = format === 'json' ? sink : { write: toText(sink) };
  const log = pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: stdSerializers.err },
    },
    { write: (line) => void destination.write(line) },
  );
  return {
    trace: (message, fields = {}) => log.trace(fields, message),
    debug: (message, fields = {}) => log.debug(fields, message),
    info: (message, fields = {}) => log.info(fields, message),
    warn: (message, fields = {}) => log.warn(fields, message),
    error: (message, fields = {}) => log.error(fields, message),
  };
}

/** A line of pino's, as this file configures it. */
interface LogRecord extends Record<string, unknown> {
  readonly level: string;
  readonly time: string;
  readonly msg: string;
}

function toText(sink: LogSink): (line: string) => void {
  return (line) => {
    const record: LogRecord = JSON.parse(line); // written by pino just now
    sink.write(formatText(record));
  };
}

function formatText({ level, time, msg, ...fields }: LogRecord): string {
  const particulars = Object.entries(fields).map(([name, value]) => ` ${name}=${inline(value)}`);
  const message = JSON.stringify(msg).slice(1, -1).replaceAll('\\"', '"');
  const head = `${time.replace('T', ' ')} [${level}] ${message}${particulars.join('')}\n`;
  return head + stackOf(fields.error);
}

/** Fields stay on the line; an error is its message there, and its stack follows below. */
function inline(value: unknown): string {
  if (isError(value)) return JSON.stringify(value.message);
  if (typeof value === 'string' && /^[\w.:/@[\]<>+-]+$/.test(value)) return value;
  return JSON.stringify(value);
}

function stackOf(error: unknown): string {
  if (!isError(error)) return '';
  return `${error.stack.replace(/^/gm, '    ')}\n`;
}

/** An error as pino's serializer leaves it. */
function isError(value: unknown): value is { message: string; stack: string } {
  return typeof value === 'object' && value !== null && 'stack' in value && 'message' in value;
}
