import { formatBinary } from '../erlang-term.js';

/** A value of JSON, of wire strings, as RabbitMQ's texts print it: an Erlang term (`~tp`). */
export function formatJsonTerm(value: unknown): string {
  if (typeof value === 'string') return formatBinary(value);
  if (Array.isArray(value)) return `[${value.map(formatJsonTerm).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    const printed = entries.map(
      ([key, each]) => `${formatJsonTerm(key)} => ${formatJsonTerm(each)}`,
    );
    return `#{${printed.join(',')}}`;
  }
  return String(value);
}
