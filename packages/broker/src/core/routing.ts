import type { Passage } from './deduplication/passage.js';
import type { Exchange } from './exchange/exchange.js';
import type { Destination } from './exchange/router.js';
import type { Message } from './message.js';
import type { Receiver } from './ports.js';

/** What routing asks of a virtual host. */
export interface RoutingPorts {
  /** Finds an exchange by name: an alternate exchange may be missing. */
  find(name: string): Exchange | undefined;
  /** The message comes by an exchange that holds duplicates back: what is to be noted of that. */
  passage(): Pick<Passage, 'passes'>;
  /** What holds a message back that an exchange has to delay; undefined if it need not. */
  delay(exchange: Exchange, message: Message): Receiver | undefined;
}

/** Adds the destinations that a message goes to from an exchange. */
export type Ask = (
  exchange: Exchange,
  routingKeys: readonly string[],
  message: Message,
  into: Set<Destination>,
) => void;

/**
 * The queues that a message published to an exchange goes to, each once: through its bindings,
 * through exchanges bound to exchanges, and through alternate exchanges where nothing else matched.
 * An exchange that has to delay the message passes it on later: until then it goes no further.
 * `topologyVersion` is the virtual host's count of changes.
 */
export function route(
  exchange: Exchange,
  message: Message,
  ports: RoutingPorts,
  topologyVersion: number,
): readonly Receiver[] {
  const { routingKey, extraRoutingKeys } = message;
  if (extraRoutingKeys !== undefined) {
    return walk(exchange, [routingKey, ...extraRoutingKeys], message, ports).queues;
  }
  const { router } = exchange;
  if (router.queuesFor !== undefined) return router.queuesFor(routingKey);
  const known = exchange.routes.get(routingKey, topologyVersion);
  if (known !== undefined) return known;
  const { queues, byRoutingKey } = walk(exchange, [routingKey], message, ports);
  if (byRoutingKey) exchange.routes.set(routingKey, topologyVersion, queues);
  return queues;
}

const askRouter: Ask = ({ router }, routingKeys, message, into) => {
  if (!router.byRoutingKey) router.route(message.routingKey, message, into);
  else for (const key of routingKeys) router.route(key, message, into);
};

/**
 * Follows the bindings from exchange to exchange, each of them once however they are connected.
 * Whoever wants to know why has another `ask`.
 */
export function walk(
  from: Exchange,
  routingKeys: readonly string[],
  message: Message,
  ports: RoutingPorts,
  ask: Ask = askRouter,
): { queues: Receiver[]; byRoutingKey: boolean } {
  const queues = new Set<Receiver>();
  const seen = new Set<Exchange>([from]);
  let byRoutingKey = true;
  // A set is iterated in order of insertion, those added meanwhile included.
  for (const exchange of seen) {
    const holder = exchange.delays ? ports.delay(exchange, message) : undefined;
    if (exchange.delays) byRoutingKey = false;
    if (holder !== undefined) {
      queues.add(holder);
      continue;
    }
    const destinations = new Set<Destination>();
    const { deduplication } = exchange;
    if (deduplication !== undefined) {
      byRoutingKey = false;
      if (!ports.passage().passes(deduplication, message)) {
        if (deduplication.settings.usesAlternate) addAlternate(exchange, ports, seen);
        continue;
      }
    }
    if (!exchange.router.byRoutingKey) byRoutingKey = false;
    ask(exchange, routingKeys, message, destinations);
    if (destinations.size === 0) addAlternate(exchange, ports, destinations);
    for (const destination of destinations) {
      if (destination.kind === 'queue') queues.add(destination);
      else seen.add(destination);
    }
  }
  return { queues: [...queues], byRoutingKey };
}

function addAlternate(
  exchange: Exchange,
  ports: RoutingPorts,
  into: { add(alternate: Exchange): unknown },
): void {
  const { alternate } = exchange;
  // The default exchange has no bindings, and routes by queue name only what is published to it.
  const found = alternate === undefined || alternate === '' ? undefined : ports.find(alternate);
  if (found !== undefined) into.add(found);
}
