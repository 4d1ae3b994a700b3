import { type FieldTable, type FieldValue, fieldTypeName, sameFieldValue } from '@leveret/amqp';
import { formatBinary, formatFieldTerm, formatFieldValue } from '../erlang-term.js';
import type { Message } from '../message.js';
import { Refusal } from '../refusal.js';
import type { Binding, Destination, Router } from './router.js';
import { type BindingVerdict, explainEach, type PartVerdict, type Verdict } from './verdict.js';

/** How a binding's arguments are held against a message's headers: the argument `x-match`. */
type Match = 'all' | 'any' | 'all-with-x' | 'any-with-x';

const MATCHES: ReadonlySet<string> = new Set<Match>(['all', 'any', 'all-with-x', 'any-with-x']);

/** A binding's criteria, taken apart once when it is made. */
interface Criteria {
  readonly any: boolean;
  readonly fields: readonly (readonly [string, FieldValue])[];
}

/**
 * All criteria together: each header that any of them names is looked up once a message, however
 * many bindings ask for it. Bindings that want a string, and all else they name, are found by that
 * string, so that those who want another one cost nothing.
 */
interface Plan {
  readonly names: readonly string[];
  readonly indexes: readonly Index[];
  /** Bindings that have to be looked at whatever the headers are. */
  readonly rest: readonly Step[];
}

/** Bindings that want a string in the same header. */
interface Index {
  /** The header's place in the plan's names. */
  readonly at: number;
  readonly byValue: ReadonlyMap<string, readonly Step[]>;
  /** All of them: a header of another type than string may have a value that is the same. */
  readonly all: readonly Step[];
}

/** The headers of a message, by their places in the plan's names. */
type Found = readonly (FieldValue | undefined)[];

const NO_STEPS: readonly Step[] = [];

/** A binding's criteria, with places in the plan's names instead of names. */
interface Step {
  readonly destination: Destination;
  readonly any: boolean;
  readonly at: readonly number[];
  readonly wanted: readonly FieldValue[];
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
  /** Undefined since the bindings have changed. */
  #plan: Plan | undefined;

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
    this.#plan = undefined;
  }

  remove(binding: Binding): void {
    this.#bindings.delete(binding);
    this.#plan = undefined;
  }

  route(_routingKey: string, message: Message, into: Set<Destination>): void {
    if (this.#bindings.size === 0) return;
    this.#plan ??= planOf(this.#bindings);
    const { names, indexes, rest } = this.#plan;
    const headers = message.headers();
    const found = names.map((name) => headers.get(name));
    for (const step of rest) if (matches(step, found)) into.add(step.destination);
    for (const index of indexes) {
      for (const step of candidates(index, found)) {
        if (matches(step, found)) into.add(step.destination);
      }
    }
  }

  explain(bindings: Iterable<Binding>, _routingKey: string, message: Message): BindingVerdict[] {
    const headers = message.headers();
    return explainEach(bindings, (binding) => judge(binding.arguments, headers));
  }
}

function candidates({ at, byValue, all }: Index, found: Found): readonly Step[] {
  const header = found[at];
  if (header === undefined) return NO_STEPS;
  return header.type === 'S' ? (byValue.get(header.value) ?? NO_STEPS) : all;
}

function planOf(bindings: ReadonlyMap<Binding, Criteria>): Plan {
  const places = new Map<string, number>();
  const placeOf = (name: string): number => {
    const place = places.get(name) ?? places.size;
    places.set(name, place);
    return place;
  };
  const steps = [...bindings].map(([{ destination }, { any, fields }]) => ({
    destination,
    any,
    at: fields.map(([name]) => placeOf(name)),
    wanted: fields.map(([, value]) => value),
  }));
  const distinct = distinctStrings(steps);
  const indexed = new Map<number, Step[]>();
  const rest: Step[] = [];
  for (const step of steps) {
    const at = step.any ? undefined : mostTelling(step, distinct);
    if (at === undefined) rest.push(step);
    else addTo(indexed, at, step);
  }
  const indexes = [...indexed].map(([at, all]) => indexOf(at, all));
  return { names: [...places.keys()], indexes, rest };
}

/** The strings that are wanted in each header, by its place. */
function distinctStrings(steps: readonly Step[]): ReadonlyMap<number, ReadonlySet<string>> {
  const distinct = new Map<number, Set<string>>();
  for (const { at, wanted } of steps) {
    wanted.forEach((value, field) => {
      if (value.type !== 'S') return;
      const strings = distinct.get(at[field]!) ?? new Set();
      distinct.set(at[field]!, strings.add(value.value));
    });
  }
  return distinct;
}

/** The header with the most different strings wanted, of those in which a binding wants one. */
function mostTelling(
  { at, wanted }: Step,
  distinct: ReadonlyMap<number, ReadonlySet<string>>,
): number | undefined {
  const places = at.filter((_, field) => wanted[field]!.type === 'S');
  const count = (place: number): number => distinct.get(place)?.size ?? 0;
  return places.sort((one, other) => count(other) - count(one))[0];
}

function indexOf(at: number, all: readonly Step[]): Index {
  const byValue = new Map<string, Step[]>();
  for (const step of all) {
    const value = step.wanted[step.at.indexOf(at)]!;
    if (value.type === 'S') addTo(byValue, value.value, step);
  }
  return { at, byValue, all };
}

function addTo<K>(map: Map<K, Step[]>, key: K, step: Step): void {
  const steps = map.get(key);
  if (steps === undefined) map.set(key, [step]);
  else steps.push(step);
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

function matches({ any, at, wanted }: Omit<Step, 'destination'>, found: Found): boolean {
  for (let field = 0; field < at.length; field++) {
    const header = found[at[field]!];
    const value = wanted[field]!;
    if (isMet(value, header) === any) return any;
  }
  return !any;
}

function isMet(wanted: FieldValue, header: FieldValue | undefined): boolean {
  return header !== undefined && (wanted.type === 'V' || sameValue(wanted, header));
}

/** Header by header. */
function judge(args: FieldTable, headers: FieldTable): Verdict {
  const criteria = criteriaOf(args);
  const at = criteria.fields.map((_field, i) => i);
  const wanted = criteria.fields.map(([, value]) => value);
  const found = criteria.fields.map(([name]) => headers.get(name));
  const parts = criteria.fields.map(([name, value], i): PartVerdict => {
    const header = found[i];
    return {
      what: `header '${name}'`,
      wanted: value.type === 'V' ? 'any value' : formatFieldValue(value),
      found: header && formatFieldValue(header),
      matches: isMet(value, header),
    };
  });
  const isTaken = matches({ any: criteria.any, at, wanted }, found);
  const met = parts.filter((part) => part.matches).length;
  const how = criteria.any ? 'any' : 'all';
  const why = `${met} of ${parts.length} headers are as wanted, x-match is ${how}`;
  const nearness = isTaken ? 1 : met / (parts.length + 1);
  return { matches: isTaken, why, parts, nearness };
}

/** Types need not be the same, only values: `5` as byte matches `5` as long, as in RabbitMQ. */
function sameValue(wanted: FieldValue, header: FieldValue): boolean {
  return wanted.type === header.type && typeof wanted.value !== 'object'
    ? wanted.value === header.value
    : sameFieldValue(wanted, header);
}
