import type { FieldTable } from '@leveret/amqp';
import type { Random } from '../../base/random.js';
import { Refusal } from '../refusal.js';
import { DirectRouter } from './direct.js';
import { FanoutRouter } from './fanout.js';
import { ConsistentHashRouter } from './hashing/consistent-hash.js';
import { ModulusHashRouter } from './hashing/modulus-hash.js';
import { HeadersRouter } from './headers.js';
import { RandomRouter } from './random.js';
import { RecentHistoryRouter } from './recent-history.js';
import type { Router } from './router.js';
import { TopicRouter } from './topic.js';

/** Exchange types by name. A constructor throws a Refusal if the arguments are not the type's. */
const ROUTERS: Readonly<Record<string, (args: FieldTable, random: Random) => Router>> = {
  direct: () => new DirectRouter(),
  fanout: () => new FanoutRouter(),
  topic: () => new TopicRouter(),
  headers: () => new HeadersRouter(),
  'x-consistent-hash': (args) => new ConsistentHashRouter(args),
  'x-modulus-hash': () => new ModulusHashRouter(),
  'x-random': (_args, random) => new RandomRouter(random),
  // Every queue is on the node the publisher is connected to: there is one.
  'x-local-random': (_args, random) => new RandomRouter(random),
  'x-message-deduplication': () => new FanoutRouter(),
  'x-recent-history': (args) => new RecentHistoryRouter(args),
};

/** Whether there is an exchange type of that name. */
export function isExchangeType(type: string): boolean {
  return Object.hasOwn(ROUTERS, type);
}

/** Throws a Refusal if there is no exchange type of that name. */
export function checkExchangeType(type: string): void {
  if (isExchangeType(type)) return;
  throw new Refusal('precondition-failed', `unknown exchange type '${type}'`);
}

/**
 * The routing of an exchange of that type, declared with those arguments. Throws a Refusal in
 * RabbitMQ's words if there is no such type, or if the arguments are not what it takes.
 */
export function newRouter(type: string, args: FieldTable, random: Random): Router {
  checkExchangeType(type);
  return ROUTERS[type]!(args, random);
}
