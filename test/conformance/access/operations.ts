import type { Permission } from '@leveret/broker';
import type { WireArguments } from '../../wire/wire-codec.js';

/** The two resources that an operation is about: each is permitted by itself. */
export type Which = 'one' | 'two';

/** A permission that an operation needs. */
export interface Need {
  readonly permission: Permission;
  readonly kind: 'queue' | 'exchange';
  readonly which: Which;
  /** What RabbitMQ calls it in a refusal, if not by the name that was given. */
  readonly called?: string;
}

/** Something a client does, and what it takes. */
export interface Operation {
  readonly title: string;
  readonly method: string;
  /** `fresh` is a name that nothing has. */
  readonly args: (fresh: string) => WireArguments;
  /** In the order in which they are looked at: the first that is missing is refused. */
  readonly needs: readonly Need[];
  readonly answer: string;
}

/** Whatever begins with these belongs to one resource or the other. */
export const PATTERNS: Readonly<Record<Which, string>> = {
  one: '^(one-|amq\\.(gen-|default$))',
  two: '^two-',
};

/** What is there when the operations are tried. */
export const PRESENT = { queue: 'one-queue', exchange: 'one-exchange', other: 'two-exchange' };

const { queue, exchange, other } = PRESENT;
const binding = { queue, exchange: other, routingKey: 'k' };
const exchangeBinding = { destination: exchange, source: other, routingKey: 'k' };

/** Every operation of AMQP 0-9-1 that permissions are about. */
export const OPERATIONS: readonly Operation[] = [
  operation('queue.declare of a new queue', 'queue.declare', (fresh) => ({ queue: fresh }), [
    need('configure', 'queue', 'one'),
  ]),
  operation('queue.declare of the queue there is', 'queue.declare', () => ({ queue }), [
    need('configure', 'queue', 'one'),
  ]),
  operation(
    'queue.declare with a dead letter exchange',
    'queue.declare',
    (fresh) => ({ queue: fresh, arguments: { 'x-dead-letter-exchange': other } }),
    [
      need('configure', 'queue', 'one'),
      need('read', 'queue', 'one'),
      need('write', 'exchange', 'two', other),
    ],
  ),
  operation(
    'queue.declare with the default exchange for dead letters',
    'queue.declare',
    (fresh) => ({ queue: fresh, arguments: { 'x-dead-letter-exchange': '' } }),
    [
      need('configure', 'queue', 'one'),
      need('read', 'queue', 'one'),
      need('write', 'exchange', 'one', 'amq.default'),
    ],
  ),
  operation('queue.declare without a name', 'queue.declare', () => ({ exclusive: true }), [
    need('configure', 'queue', 'one', 'amq.gen-'),
  ]),
  operation('passive queue.declare', 'queue.declare', () => ({ queue, passive: true }), []),
  operation('queue.delete', 'queue.delete', (fresh) => ({ queue: fresh }), [
    need('configure', 'queue', 'one'),
  ]),
  operation('queue.purge', 'queue.purge', () => ({ queue }), [need('read', 'queue', 'one', queue)]),
  ...(['queue.bind', 'queue.unbind'] as const).map((method) =>
    operation(method, method, () => binding, [
      need('write', 'queue', 'one', queue),
      need('read', 'exchange', 'two', other),
    ]),
  ),
  operation('exchange.declare of a new exchange', 'exchange.declare', declared, [
    need('configure', 'exchange', 'one'),
  ]),
  operation('exchange.declare of the exchange there is', 'exchange.declare', () => ({ exchange }), [
    need('configure', 'exchange', 'one', exchange),
  ]),
  operation(
    'exchange.declare with an alternate exchange',
    'exchange.declare',
    (fresh) => ({ ...declared(fresh), arguments: { 'alternate-exchange': other } }),
    [
      need('configure', 'exchange', 'one'),
      need('read', 'exchange', 'one'),
      need('write', 'exchange', 'two', other),
    ],
  ),
  operation(
    'passive exchange.declare',
    'exchange.declare',
    () => ({ exchange, passive: true }),
    [],
  ),
  operation('exchange.delete', 'exchange.delete', (fresh) => ({ exchange: fresh }), [
    need('configure', 'exchange', 'one'),
  ]),
  ...(['exchange.bind', 'exchange.unbind'] as const).map((method) =>
    operation(method, method, () => exchangeBinding, [
      need('write', 'exchange', 'one', exchange),
      need('read', 'exchange', 'two', other),
    ]),
  ),
  publish('basic.publish', exchange, exchange),
  publish('basic.publish to the default exchange', '', 'amq.default'),
  {
    ...operation('basic.get', 'basic.get', () => ({ queue, noAck: true }), [
      need('read', 'queue', 'one', queue),
    ]),
    answer: 'basic.get-empty',
  },
  operation('basic.consume', 'basic.consume', () => ({ queue }), [
    need('read', 'queue', 'one', queue),
  ]),
  operation(
    'basic.consume of direct replies',
    'basic.consume',
    () => ({ queue: 'amq.rabbitmq.reply-to', noAck: true }),
    [],
  ),
];

function declared(fresh: string): WireArguments {
  return { exchange: fresh, type: 'direct', autoDelete: true };
}

function operation(
  title: string,
  method: string,
  args: Operation['args'],
  needs: readonly Need[],
): Operation {
  return { title, method, args, needs, answer: `${method}-ok` };
}

function publish(title: string, name: string, called: string): Operation {
  const args = (): WireArguments => ({ exchange: name, routingKey: 'nowhere' });
  const needs = [need('write', 'exchange', 'one', called)];
  return { title, method: 'basic.publish', args, needs, answer: 'basic.ack' };
}

function need(
  permission: Permission,
  kind: 'queue' | 'exchange',
  which: Which,
  called?: string,
): Need {
  return { permission, kind, which, ...(called === undefined ? {} : { called }) };
}
