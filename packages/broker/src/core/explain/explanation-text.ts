import type {
  BindingExplanation,
  ExchangeExplanation,
  Explanation,
  QueueExplanation,
} from './explanation.js';

/** Of the bindings that do not match, so many are shown. */
const MISSES_MAX = 5;

/** An explanation for people to read, in lines. */
export function explanationText(explanation: Explanation): string {
  const { exchange, routingKeys, refusal, outcome, exchanges, queues } = explanation;
  const keys = routingKeys.map((key) => `'${key}'`).join(', ');
  const lines = [`a message to ${exchangeName(exchange)} with routing key ${keys}: ${outcome}`];
  if (refusal !== undefined) lines.push(`  ${refusal}`);
  for (const each of exchanges) lines.push(...exchangeLines(each));
  for (const queue of queues) lines.push(...queueLines(queue));
  return lines.join('\n');
}

function exchangeLines(exchange: ExchangeExplanation): string[] {
  const { name, type, from, policy, isDelayed, isDuplicate, alternate } = exchange;
  const origin = from === undefined ? '' : `, ${from.as} of ${exchangeName(from.exchange)}`;
  const governed = policy === undefined ? '' : `, policy ${policy}`;
  const lines = [`  ${exchangeName(name)} (${type}${origin}${governed})`];
  if (isDelayed) lines.push('    keeps it until it is due, and goes on then');
  if (isDuplicate) lines.push('    holds it back: a message with the same key has been here');
  lines.push(...bindingLines(exchange.bindings));
  if (!isDuplicate && exchange.bindings.length === 0) lines.push('    has no bindings');
  if (alternate?.isUsed) lines.push(`    goes to its alternate exchange '${alternate.exchange}'`);
  else if (alternate?.isThere === false) {
    lines.push(`    its alternate exchange '${alternate.exchange}' is not there`);
  }
  return lines;
}

function bindingLines(bindings: readonly BindingExplanation[]): string[] {
  const matched = bindings.filter(({ matches }) => matches !== false);
  const missed = bindings.filter(({ matches }) => matches === false);
  const lines = [...matched, ...missed.slice(0, MISSES_MAX)].flatMap(bindingText);
  const more = missed.length - MISSES_MAX;
  if (more > 0) lines.push(`    and ${more} more that do not match`);
  return lines;
}

function bindingText(binding: BindingExplanation): string[] {
  const { matches, destinationKind, destination, bindingKey, why, parts } = binding;
  const mark = { true: '+', false: '-', 'by chance': '?' }[`${matches}`];
  const lines = [`    ${mark} ${destinationKind} '${destination}' by '${bindingKey}': ${why}`];
  // What is missing is what people look for.
  for (const part of matches === false ? parts : []) {
    if (part.matches) continue;
    const found = part.found === undefined ? 'there is none' : `found ${part.found}`;
    lines.push(`        ${part.what}: wanted ${part.wanted}, ${found}`);
  }
  return lines;
}

function queueLines(queue: QueueExplanation): string[] {
  const { name, action, why, isCertain, deadLetter, expiresInMilliseconds, policy } = queue;
  const governed = policy === undefined ? '' : `, policy ${policy}`;
  const chance = isCertain ? '' : ' (perhaps)';
  const lines = [`  queue '${name}'${governed}: ${action}${chance}, ${why}`];
  if (expiresInMilliseconds !== undefined) lines.push(`    expires in ${expiresInMilliseconds} ms`);
  if (deadLetter !== undefined) {
    const queues = deadLetter.queues.map((each) => `'${each}'`).join(', ') || 'no queue';
    const what = action === 'drop-head' ? 'what is dropped' : 'it';
    const by = `${exchangeName(deadLetter.exchange)} with '${deadLetter.routingKey}'`;
    lines.push(`    ${what} goes to ${by}, and so to ${queues}`);
  }
  return lines;
}

function exchangeName(name: string): string {
  return name === '' ? 'the default exchange' : `exchange '${name}'`;
}
