import type { BasicProperties, FieldTable, FieldValue } from '@leveret/amqp';
import { formatFieldTerm } from '../erlang-term.js';
import { integerOf } from '../queue/arguments.js';
import { Refusal } from '../refusal.js';

/** For how long a message is to be delayed: milliseconds. */
const DELAY = 'x-delay';
/** When it is to be delivered: an AMQP timestamp, or milliseconds since 1970. */
const DELIVER_AT = 'x-deliver-at';

/** Ten years: the longest delay, in milliseconds, as it is the longest time to live. */
export const DELAY_MS_MAX = 315_360_000_000;

/**
 * For how many milliseconds a message is to be delayed; 0 or less if it is not, be it that its
 * headers say nothing that can be understood. `wallTime` is the time of day.
 */
export function delayOf(headers: FieldTable, wallTime: number): number {
  const milliseconds = readDelay(headers) || (readDeliverAt(headers) ?? 0) - wallTime;
  return milliseconds > DELAY_MS_MAX ? 0 : milliseconds;
}

/**
 * Checks the headers of a message that is published to an exchange that delays: what is no time,
 * or too far away, would be delivered at once otherwise. Throws a Refusal.
 */
export function checkDelay(headers: FieldTable, wallTime: number): void {
  const delay = readDelay(headers);
  const deliverAt = readDeliverAt(headers);
  if (delay === undefined && isThere(headers, DELAY)) {
    throw refusal(headers, DELAY, 'is no number of milliseconds');
  }
  if (deliverAt === undefined && isThere(headers, DELIVER_AT)) {
    throw refusal(headers, DELIVER_AT, 'is no timestamp, and no milliseconds since 1970');
  }
  // What was delayed before is not delayed again, whatever else it says.
  if (delay !== undefined && delay < 0) return;
  if (delay !== undefined && deliverAt !== undefined && deliverAt > 0) {
    throw refusal(headers, DELAY, `is one time, and '${DELIVER_AT}' is another: leave one out`);
  }
  const tooFar = `is more than ten years away, ${DELAY_MS_MAX} ms`;
  if ((delay ?? 0) > DELAY_MS_MAX) throw refusal(headers, DELAY, tooFar);
  if ((deliverAt ?? 0) - wallTime > DELAY_MS_MAX) throw refusal(headers, DELIVER_AT, tooFar);
}

/**
 * Properties of a message that has been delayed: the header that said so is negated, so that
 * passing the message on does not delay it again. It becomes an integer of 32 bits if it fits: some
 * clients read longer ones as if they had no sign.
 */
export function delayedProperties(properties: BasicProperties): BasicProperties {
  const headers = new Map(properties.headers);
  for (const name of [DELAY, DELIVER_AT]) {
    const value = headers.get(name);
    const number = value && numberOf(value);
    if (Number.isSafeInteger(number) && number! > 0) headers.set(name, integerField(-number!));
  }
  return { ...properties, headers };
}

function integerField(value: number): FieldValue {
  const isShort = value === (value | 0);
  return isShort ? { type: 'I', value } : { type: 'l', value: BigInt(value) };
}

function readDelay(headers: FieldTable): number | undefined {
  const value = headers.get(DELAY);
  return value === undefined || value.type === 'T' ? undefined : numberOf(value);
}

function readDeliverAt(headers: FieldTable): number | undefined {
  const value = headers.get(DELIVER_AT);
  const number = value && numberOf(value);
  // A timestamp counts seconds.
  return value?.type === 'T' && number !== undefined ? number * 1_000 : number;
}

/** A header without a value is none. */
function isThere(headers: FieldTable, name: string): boolean {
  const value = headers.get(name);
  return value !== undefined && value.type !== 'V';
}

/** Integers of any width, floating-point numbers without their fraction, decimal digits. */
function numberOf(value: FieldValue): number | undefined {
  switch (value.type) {
    case 'T':
      return Number(value.value);
    case 'f':
    case 'd':
      return Number.isFinite(value.value) ? Math.trunc(value.value) : undefined;
    case 'S':
      return /^[+-]?\d+$/.test(value.value) ? Number(value.value) : undefined;
    default:
      return integerOf(value);
  }
}

function refusal(headers: FieldTable, name: string, problem: string): Refusal {
  const text = `invalid header '${name}': ${formatFieldTerm(headers.get(name)!)} ${problem}`;
  return new Refusal('precondition-failed', text);
}
