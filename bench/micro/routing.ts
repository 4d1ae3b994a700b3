import { type FieldTable, toFieldTable } from '@leveret/amqp';
import {
  composeMessage,
  type Destination,
  Exchange,
  newRouter,
  RouteCache,
  SlabAllocator,
} from '@leveret/broker/measured';
import { bench, do_not_optimize, group } from 'mitata';

const NO_ARGUMENTS: FieldTable = new Map();
const KEYS = 1_000;

const RANDOM = { integer: () => 0, bytes: (count: number) => Buffer.alloc(count) };

function exchange(name: string): Exchange {
  const spec = { durable: false, autoDelete: false, internal: false, arguments: NO_ARGUMENTS };
  return new Exchange({ name, type: 'fanout', ...spec });
}

/** Measures a type of exchange with so many bindings, each to a destination of its own. */
function measureType(
  type: string,
  count: number,
  binding: (at: number) => [string, FieldTable],
): void {
  const source = exchange('source');
  const router = newRouter(type, NO_ARGUMENTS, RANDOM);
  for (let at = 0; at < count; at++) {
    const [routingKey, args] = binding(at);
    router.add({ source, destination: exchange(`${at}`), routingKey, arguments: args });
  }
  const headers = toFieldTable({ shard: 's7', kind: 'new' });
  const body = Buffer.alloc(16);
  const parts = { exchange: 'source', routingKey: '', properties: { headers }, body };
  const message = composeMessage(new SlabAllocator(), parts);
  let at = 0;
  bench(`${type}, ${count.toLocaleString('en')} bindings`, () => {
    const into = new Set<Destination>();
    at = at + 1 === KEYS ? 0 : at + 1;
    router.route(`room.${at}.1.celsius`, message, into);
    do_not_optimize(into.size);
  });
}

export function routing(): void {
  group('routing, of keys that are not remembered', () => {
    for (const count of [100, 10_000]) {
      measureType('direct', count, (at) => [`room.${at}.1.celsius`, NO_ARGUMENTS]);
      measureType('topic', count, (at) => [`room.${at}.*.celsius`, NO_ARGUMENTS]);
      measureType('headers', count, (at) => [
        '',
        toFieldTable({ 'x-match': 'all', shard: `s${at}`, kind: 'new' }),
      ]);
    }
  });
  group('remembered routes', () => {
    const cache = new RouteCache();
    const keys = Array.from({ length: KEYS }, (_, at) => `room.${at}.1.celsius`);
    for (const key of keys) cache.set(key, 1, []);
    let at = 0;
    bench('a key that is known', () => {
      at = at + 1 === KEYS ? 0 : at + 1;
      do_not_optimize(cache.get(keys[at]!, 1));
    });
  });
}
