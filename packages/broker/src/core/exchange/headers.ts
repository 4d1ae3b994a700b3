import { type FieldTable, type FieldValue, fieldTypeName, sameFieldValue } from '@leveret/amqp';
import { formatBinary, formatFieldTerm } from '../erlang-term.js';
import type { Message } from '../message.js';
import { Refusal } from '../refusal.js';
import type { Binding, Destination, Router } from './router.js';

/** How a binding's arguments are held against a message's headers: the argument `x-match`. */
type Match = 'all' | 'any' | 'all-with-x' | 'any-with-x';

const MATCHES: ReadonlySet<string> = new Set<Match>(['all', 'any', 'all-with-x', 'any-with-x']);

/** A binding's criteria, taken apart once when it is made. */
interface Criteria {
  readonly any: boolean;
  readonly fields: readonly (readonly [string, FieldValue])[];
}

/**
 * Routes by the message's headers (0-9-1 §3.1.3.4). A binding's arguments name the headers and
 * values wanted; a void value is content with the header's presence. `x-match` is `all` (the
 * default) or `any`; arguments whose names begin with `x-` are left out of account, unless
 * `all-with-x` or `any-with-x` asks for them.
 */
export class HeadersRouter implements Router {
  readonly byRoutingKey = false;
  readonly #bindings = new Map<Binding, Criteria>();

  check(args: FieldTable): void {
    const match = args.get('x-match');
    if (match === undefined || (match.type === 'S' && MATCHES.has(match.value))) return;
    const problem =
      match.type === 'S'
        ? `value ${formatBinary(match.value)}; expected all, any, all-with-x, or any-with-x`
        : `type ${fieldTypeName(match)} (value ${formatFieldTerm(match)}); expected longstr`;
    throw new Refusal('precondition-failed', `Invalid x-match field ${problem}`);
  }

  add(binding: Binding): void {
    this.#bindings.set(binding, criteriaOf(binding.arguments));
  }

  remove(binding: Binding): void {
    this.#bindings.delete(binding);
  }

  route(_routingKey: string, message: Message, into: Set<Destination>): void {
    if (this.#bindings.size === 0) return;
    const headers = message.headers();
    for (const [binding, criteria] of this.#bindings) {
      if (matches(criteria, headers)) into.add(binding.destination);
    }
  }
}

function criteriaOf(args: FieldTable): Criteria {
  const argument = args.get('x-match');
  const match = argument?.type === 'S' ? argument.value : 'all';
  const withX = match.endsWith('-with-x');
  const fields = [...args].filter(([name]) =>
    withX ? name !== 'x-match' : !name.startsWith('x-'),
  );
  return { any: match.startsWith('any'), fields };
}

function matches(criteria: Criteria, headers: FieldTable): boolean {
  for (const [name, wanted] of criteria.fields) {
    const header = headers.get(name);
    const matched = header !== undefined && (wanted.type === 'V' || sameValue(wanted, header));
    if (matched === criteria.any) return criteria.any;
  }
  return !criteria.any;
}

/** Types need not be the same, only values: `5` as byte matches `5` as long, as in RabbitMQ. */
function sameValue(wanted: FieldValue, header: FieldValue): boolean {
  return wanted.type === header.type && typeof wanted.value !== 'object'
    ? wanted.value === header.value
    : sameFieldValue(wanted, header);
}
