import { type FieldValue, fieldTypeName } from '@leveret/amqp';
import { Deadlines } from '../../base/deadlines.js';
import { ManualClock } from '../../base/manual-clock.test.support.js';
import { systemRandom } from '../../base/random.js';
import { Turn } from '../../base/turn.js';
import { MessageWithProperties } from '../exchange/routing-fixture.test.support.js';
import type { Message } from '../message.js';
import { InMemory } from '../persistence.js';
import type { MessageParts } from '../ports.js';
import { TOPOLOGY_LIMITS, TopologyQuotas } from '../quotas/topology-quotas.js';
import { VirtualHost } from '../virtual-host.js';
import { bindingRequest, CONNECTION, queueRequest } from '../virtual-host.test.support.js';
import { EventExchange } from './event-exchange.js';

/** A message as a test looks at it: types of values are left out but where they matter. */
export interface Seen {
  readonly key: string;
  readonly headers: Record<string, unknown>;
  readonly body: string;
}

/** A virtual host that reports what happens in it, and whose turns are ended by hand. */
export interface ReportingWorld {
  readonly vhost: VirtualHost;
  readonly clock: ManualClock;
  readonly events: EventExchange;
  /** What the broker has made messages of its own of. */
  readonly made: readonly MessageParts[];
  /** Whether anything waits for the end of the turn. */
  isWaiting(): boolean;
  endTurn(): void;
  /** Binds a queue to an exchange, and returns what has come into it since asked last. */
  watch(exchange: string, key: string): () => Seen[];
}

export function reportingWorld(): ReportingWorld {
  const later: (() => void)[] = [];
  const turn = new Turn((action) => later.push(action));
  const clock = new ManualClock();
  const made: MessageParts[] = [];
  const newMessage = (parts: MessageParts): Message => {
    made.push(parts);
    const message = new MessageWithProperties(parts.body.toString(), parts.properties);
    message.exchange = parts.exchange;
    message.routingKey = parts.routingKey;
    return message;
  };
  const broken = (error: unknown): never => {
    throw error;
  };
  const events = new EventExchange({ clock, turn, newMessage, broken });
  const vhost = new VirtualHost('v', {
    random: systemRandom,
    clock,
    deadlines: new Deadlines(clock, () => {}),
    persistence: new InMemory(),
    quotas: new TopologyQuotas(TOPOLOGY_LIMITS),
    reporting: { events, audited: () => {}, node: 'leveret@test', turn, newMessage, broken },
  });
  events.publishIn(vhost);
  const endTurn = (): void => {
    for (const action of later.splice(0)) action();
  };
  return {
    vhost,
    clock,
    events,
    made,
    isWaiting: () => later.length > 0,
    endTurn,
    watch: (exchange, key) => {
      const queue = vhost.queues.declare(queueRequest(''), CONNECTION);
      vhost.bindQueue(bindingRequest(exchange, queue.name, key), CONNECTION);
      endTurn();
      queue.purge();
      return () => {
        endTurn();
        const seen: Seen[] = [];
        queue.forEachMessage((message) => seen.push(look(message)));
        queue.purge();
        return seen;
      };
    },
  };
}

function look(message: Message): Seen {
  const headers = [...message.headers()].map(([name, value]) => [name, plain(value)] as const);
  return {
    key: message.routingKey,
    headers: Object.fromEntries(headers),
    body: message.body().toString(),
  };
}

/** A value without its type, but for integers: theirs is part of what was promised. */
function plain(field: FieldValue): unknown {
  switch (field.type) {
    case 'A':
      return field.value.map(plain);
    case 'F':
      return Object.fromEntries([...field.value].map(([name, each]) => [name, plain(each)]));
    case 'S':
    case 't':
      return field.value;
    default:
      return `${fieldTypeName(field)} ${String(field.value)}`;
  }
}
