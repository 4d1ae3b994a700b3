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

/** The type of RabbitMQ's plugin that delays messages, and routes them as another type does. */
export const DELAYED_TYPE = 'x-delayed-message';

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
  [DELAYED_TYPE]: (args, random) => newRouter(delayedType(args), args, random),
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

/** The type that an exchange of the delaying type routes as. Throws a Refusal. */
function delayedType(args: FieldTable): string {
  const type = args.get('x-delayed-type');
  let problem: string | undefined;
  if (type?.type !== 'S') problem = "'x-delayed-type' must be an existing exchange type";
  else if (type.value === DELAYED_TYPE) {
    problem = `'${DELAYED_TYPE}' can't be used for 'x-delayed-type'`;
  } else return type.value;
  throw new Refusal('precondition-failed', `Invalid argument, ${problem}`);
}
