import type { Exchange } from '../exchange/exchange.js';
import type { BindingVerdict } from '../exchange/verdict.js';
import type { Message } from '../message.js';
import type { Queue } from '../queue/queue.js';
import type { VirtualHost } from '../virtual-host.js';
import { explainQueue } from './explain-queue.js';
import type { BindingExplanation, ExchangeExplanation, Explanation } from './explanation.js';
import { type Sight, Tour } from './tour.js';

/** What explaining needs of a virtual host; it changes nothing of it. */
export type Explained = Pick<VirtualHost, 'exchanges' | 'replies' | 'governing' | 'delays'>;

/** Of the default exchange, which has every queue, so many that the message does not go to. */
const NEAR_QUEUES = 5;

/** Says where a message would go from an exchange, and why. */
export function explain(vhost: Explained, exchange: Exchange, message: Message): Explanation {
  const reply = exchange.name === '' ? vhost.replies.find(message.routingKey) : undefined;
  const find = (name: string): Exchange | undefined => vhost.exchanges.get(name);
  const ports = { find, isDelayed: (each: Message) => vhost.delays.isDelayed(each) };
  const tour = new Tour(exchange, message, ports);
  const reached = (name: string, letter: Message): string[] => {
    const found = find(name);
    return found === undefined ? [] : new Tour(found, letter, ports).queues.map(nameOf);
  };
  const queues = tour.queues.map((queue) => {
    const circumstances = { isCertain: tour.isCertain(queue), ...vhost.governing(queue) };
    return explainQueue(queue, message, circumstances, reached);
  });
  let outcome: Explanation['outcome'] = 'routed';
  if (queues.length === 0 && reply !== undefined) outcome = 'reply';
  else if (queues.length === 0) outcome = tour.isHeldBack ? 'duplicate' : 'unroutable';
  return {
    outcome,
    refusal: undefined,
    exchange: exchange.name,
    routingKeys: [message.routingKey, ...(message.extraRoutingKeys ?? [])],
    exchanges: tour.sights.map((sight) => describe(sight, vhost)),
    queues,
  };
}

/** Every binding that an exchange on the way has, the nearest to matching first. */
export function nearestBindings(
  vhost: Explained,
  exchange: Exchange,
  message: Message,
): BindingExplanation[] {
  const find = (name: string): Exchange | undefined => vhost.exchanges.get(name);
  const tour = new Tour(exchange, message, { find, isDelayed: () => false });
  return tour.sights
    .flatMap(({ exchange: { name }, verdicts }) => bindings(name, verdicts))
    .sort(byNearness);
}

function describe(sight: Sight, vhost: Explained): ExchangeExplanation {
  const { exchange, from, isDelayed, isHeldBack, verdicts, usesAlternate } = sight;
  const { name, spec, alternate } = exchange;
  const all = bindings(name, verdicts).sort(byNearness);
  const missed = all.filter(({ matches }) => matches === false);
  const shown = name === '' ? all.slice(0, all.length - missed.length + NEAR_QUEUES) : all;
  return {
    name,
    type: spec.type,
    from: from && { exchange: from.exchange.name, as: from.as },
    policy: vhost.governing(exchange).policy?.name,
    isDelayed,
    isDuplicate: isHeldBack,
    bindings: shown,
    alternate:
      alternate === undefined
        ? undefined
        : {
            exchange: alternate,
            isThere: vhost.exchanges.get(alternate) !== undefined,
            isUsed: usesAlternate,
          },
  };
}

/** One explanation for each binding, by the routing key that does best. */
function bindings(
  exchange: string,
  verdicts: ReadonlyMap<string, readonly BindingVerdict[]>,
): BindingExplanation[] {
  const best = new Map<unknown, BindingExplanation>();
  for (const [routingKey, each] of verdicts) {
    for (const { binding, destination, ...verdict } of each) {
      const id = binding ?? destination;
      const before = best.get(id);
      if (before !== undefined && before.nearness >= verdict.nearness) continue;
      best.set(id, {
        ...verdict,
        exchange,
        destinationKind: destination.kind,
        destination: destination.name,
        bindingKey: binding?.routingKey ?? destination.name,
        routingKey,
      });
    }
  }
  return [...best.values()];
}

function byNearness(a: BindingExplanation, b: BindingExplanation): number {
  return Number(b.matches !== false) - Number(a.matches !== false) || b.nearness - a.nearness;
}

function nameOf({ name }: Queue): string {
  return name;
}
