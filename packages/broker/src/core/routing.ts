import type { Exchange } from './exchange/exchange.js';
import type { Destination } from './exchange/router.js';
import type { Message } from './message.js';
import type { Receiver } from './ports.js';

/** What routing asks of its virtual host. */
export interface Routing {
  /** Finds an exchange by name: an alternate exchange may be missing. */
  readonly find: (name: string) => Exchange | undefined;
  /** What holds a message back that an exchange has to delay; undefined if it need not. */
  readonly delay: (exchange: Exchange, message: Message) => Receiver | undefined;
}

/**
 * The queues that a message published to an exchange goes to, each once: through its bindings,
 * through exchanges bound to exchanges, and through alternate exchanges where nothing else matched.
 * An exchange that has to delay the message passes it on later: until then it goes no further.
 * `topologyVersion` is the virtual host's count of changes.
 */
export function route(
  exchange: Exchange,
  message: Message,
  routing: Routing,
  topologyVersion: number,
): readonly Receiver[] {
  const { routingKey, extraRoutingKeys } = message;
  if (extraRoutingKeys !== undefined) {
    return walk(exchange, [routingKey, ...extraRoutingKeys], message, routing).queues;
  }
  const known = exchange.routes.get(routingKey, topologyVersion);
  if (known !== undefined) return known;
  const { queues, byRoutingKey } = walk(exchange, [routingKey], message, routing);
  if (byRoutingKey) exchange.routes.set(routingKey, topologyVersion, queues);
  return queues;
}

/** Follows the bindings from exchange to exchange, each of them once however they are connected. */
function walk(
  from: Exchange,
  routingKeys: readonly string[],
  message: Message,
  { find, delay }: Routing,
): { queues: Receiver[]; byRoutingKey: boolean } {
  const queues = new Set<Receiver>();
  const seen = new Set<Exchange>([from]);
  let byRoutingKey = true;
  // A set is iterated in order of insertion, those added meanwhile included.
  for (const exchange of seen) {
    const holder = exchange.delays ? delay(exchange, message) : undefined;
    if (exchange.delays) byRoutingKey = false;
    if (holder !== undefined) {
      queues.add(holder);
      continue;
    }
    const destinations = new Set<Destination>();
    if (exchange.router.byRoutingKey) {
      for (const key of routingKeys) exchange.router.route(key, message, destinations);
    } else {
      byRoutingKey = false;
      exchange.router.route(message.routingKey, message, destinations);
    }
    if (destinations.size === 0) addAlternate(exchange, find, destinations);
    for (const destination of destinations) {
      if (destination.kind === 'queue') queues.add(destination);
      else seen.add(destination);
    }
  }
  return { queues: [...queues], byRoutingKey };
}

function addAlternate(exchange: Exchange, find: Routing['find'], into: Set<Destination>): void {
  const { alternate } = exchange;
  // The default exchange has no bindings, and routes by queue name only what is published to it.
  const found = alternate === undefined || alternate === '' ? undefined : find(alternate);
  if (found !== undefined) into.add(found);
}
