/**
 * Every method of AMQP 0-9-1, with RabbitMQ's extensions, as one table. The types of the arguments
 * (types.ts) and the readers and writers (method-codec.ts) all follow from it.
 *
 * A method frame's payload is its class id, its method id, then the fields in the order written
 * here:
 *
 *     0          2           4
 *     +----------+-----------+----------------+
 *     | class id | method id | fields ...     |
 *     +----------+-----------+----------------+
 *        short       short
 */

/** Wire types of fields (spec 4.2.5). Neighbouring bits share an octet, the lowest bit first. */
export type FieldType =
  | 'bit'
  | 'octet'
  | 'short'
  | 'long'
  | 'longlong'
  | 'shortstr'
  | 'longstr'
  | 'table';

/** One row of the table. */
export interface MethodRow {
  readonly classId: number;
  readonly methodId: number;
  /** Which peer may send it. */
  readonly from: 'client' | 'server' | 'both';
  /** What answers it, unless a `nowait` field is set; without a reply it is asynchronous. */
  readonly reply?: MethodName | readonly MethodName[];
  /** True if a content header frame, and body frames, follow. */
  readonly content?: true;
  /** Field name to wire type, in wire order. `ticket` is reserved: send 0. */
  readonly fields: Readonly<Record<string, FieldType>>;
}

/** The table, by the name the specification gives a method. */
export const METHODS = {
  // connection: always on channel 0
  'connection.start': {
    classId: 10,
    methodId: 10,
    from: 'server',
    reply: 'connection.start-ok',
    fields: {
      versionMajor: 'octet',
      versionMinor: 'octet',
      serverProperties: 'table',
      mechanisms: 'longstr',
      locales: 'longstr',
    },
  },
  'connection.start-ok': {
    classId: 10,
    methodId: 11,
    from: 'client',
    fields: {
      clientProperties: 'table',
      mechanism: 'shortstr',
      response: 'longstr',
      locale: 'shortstr',
    },
  },
  'connection.secure': {
    classId: 10,
    methodId: 20,
    from: 'server',
    reply: 'connection.secure-ok',
    fields: { challenge: 'longstr' },
  },
  'connection.secure-ok': {
    classId: 10,
    methodId: 21,
    from: 'client',
    fields: { response: 'longstr' },
  },
  'connection.tune': {
    classId: 10,
    methodId: 30,
    from: 'server',
    reply: 'connection.tune-ok',
    fields: { channelMax: 'short', frameMax: 'long', heartbeat: 'short' },
  },
  'connection.tune-ok': {
    classId: 10,
    methodId: 31,
    from: 'client',
    fields: { channelMax: 'short', frameMax: 'long', heartbeat: 'short' },
  },
  'connection.open': {
    classId: 10,
    methodId: 40,
    from: 'client',
    reply: 'connection.open-ok',
    fields: { virtualHost: 'shortstr', capabilities: 'shortstr', insist: 'bit' },
  },
  'connection.open-ok': {
    classId: 10,
    methodId: 41,
    from: 'server',
    fields: { knownHosts: 'shortstr' },
  },
  'connection.close': {
    classId: 10,
    methodId: 50,
    from: 'both',
    reply: 'connection.close-ok',
    fields: { replyCode: 'short', replyText: 'shortstr', classId: 'short', methodId: 'short' },
  },
  'connection.close-ok': { classId: 10, methodId: 51, from: 'both', fields: {} },
  'connection.blocked': {
    classId: 10,
    methodId: 60,
    from: 'server',
    fields: { reason: 'shortstr' },
  },
  'connection.unblocked': { classId: 10, methodId: 61, from: 'server', fields: {} },
  'connection.update-secret': {
    classId: 10,
    methodId: 70,
    from: 'client',
    reply: 'connection.update-secret-ok',
    fields: { newSecret: 'longstr', reason: 'shortstr' },
  },
  'connection.update-secret-ok': { classId: 10, methodId: 71, from: 'server', fields: {} },
  // channel
  'channel.open': {
    classId: 20,
    methodId: 10,
    from: 'client',
    reply: 'channel.open-ok',
    fields: { outOfBand: 'shortstr' },
  },
  'channel.open-ok': {
    classId: 20,
    methodId: 11,
    from: 'server',
    fields: { channelId: 'longstr' },
  },
  'channel.flow': {
    classId: 20,
    methodId: 20,
    from: 'both',
    reply: 'channel.flow-ok',
    fields: { active: 'bit' },
  },
  'channel.flow-ok': { classId: 20, methodId: 21, from: 'both', fields: { active: 'bit' } },
  'channel.close': {
    classId: 20,
    methodId: 40,
    from: 'both',
    reply: 'channel.close-ok',
    fields: { replyCode: 'short', replyText: 'shortstr', classId: 'short', methodId: 'short' },
  },
  'channel.close-ok': { classId: 20, methodId: 41, from: 'both', fields: {} },
  // access: tickets of AMQP 0-8, which RabbitMQ still answers
  'access.request': {
    classId: 30,
    methodId: 10,
    from: 'client',
    reply: 'access.request-ok',
    fields: {
      realm: 'shortstr',
      exclusive: 'bit',
      passive: 'bit',
      active: 'bit',
      write: 'bit',
      read: 'bit',
    },
  },
  'access.request-ok': { classId: 30, methodId: 11, from: 'server', fields: { ticket: 'short' } },
  // exchange: bind and unbind (exchange to exchange) are RabbitMQ's
  'exchange.declare': {
    classId: 40,
    methodId: 10,
    from: 'client',
    reply: 'exchange.declare-ok',
    fields: {
      ticket: 'short',
      exchange: 'shortstr',
      type: 'shortstr',
      passive: 'bit',
      durable: 'bit',
      autoDelete: 'bit',
      internal: 'bit',
      nowait: 'bit',
      arguments: 'table',
    },
  },
  'exchange.declare-ok': { classId: 40, methodId: 11, from: 'server', fields: {} },
  'exchange.delete': {
    classId: 40,
    methodId: 20,
    from: 'client',
    reply: 'exchange.delete-ok',
    fields: { ticket: 'short', exchange: 'shortstr', ifUnused: 'bit', nowait: 'bit' },
  },
  'exchange.delete-ok': { classId: 40, methodId: 21, from: 'server', fields: {} },
  'exchange.bind': {
    classId: 40,
    methodId: 30,
    from: 'client',
    reply: 'exchange.bind-ok',
    fields: {
      ticket: 'short',
      destination: 'shortstr',
      source: 'shortstr',
      routingKey: 'shortstr',
      nowait: 'bit',
      arguments: 'table',
    },
  },
  'exchange.bind-ok': { classId: 40, methodId: 31, from: 'server', fields: {} },
  'exchange.unbind': {
    classId: 40,
    methodId: 40,
    from: 'client',
    reply: 'exchange.unbind-ok',
    fields: {
      ticket: 'short',
      destination: 'shortstr',
      source: 'shortstr',
      routingKey: 'shortstr',
      nowait: 'bit',
      arguments: 'table',
    },
  },
  'exchange.unbind-ok': { classId: 40, methodId: 51, from: 'server', fields: {} },
  // queue
  'queue.declare': {
    classId: 50,
    methodId: 10,
    from: 'client',
    reply: 'queue.declare-ok',
    fields: {
      ticket: 'short',
      queue: 'shortstr',
      passive: 'bit',
      durable: 'bit',
      exclusive: 'bit',
      autoDelete: 'bit',
      nowait: 'bit',
      arguments: 'table',
    },
  },
  'queue.declare-ok': {
    classId: 50,
    methodId: 11,
    from: 'server',
    fields: { queue: 'shortstr', messageCount: 'long', consumerCount: 'long' },
  },
  'queue.bind': {
    classId: 50,
    methodId: 20,
    from: 'client',
    reply: 'queue.bind-ok',
    fields: {
      ticket: 'short',
      queue: 'shortstr',
      exchange: 'shortstr',
      routingKey: 'shortstr',
      nowait: 'bit',
      arguments: 'table',
    },
  },
  'queue.bind-ok': { classId: 50, methodId: 21, from: 'server', fields: {} },
  'queue.purge': {
    classId: 50,
    methodId: 30,
    from: 'client',
    reply: 'queue.purge-ok',
    fields: { ticket: 'short', queue: 'shortstr', nowait: 'bit' },
  },
  'queue.purge-ok': { classId: 50, methodId: 31, from: 'server', fields: { messageCount: 'long' } },
  'queue.delete': {
    classId: 50,
    methodId: 40,
    from: 'client',
    reply: 'queue.delete-ok',
    fields: { ticket: 'short', queue: 'shortstr', ifUnused: 'bit', ifEmpty: 'bit', nowait: 'bit' },
  },
  'queue.delete-ok': {
    classId: 50,
    methodId: 41,
    from: 'server',
    fields: { messageCount: 'long' },
  },
  'queue.unbind': {
    classId: 50,
    methodId: 50,
    from: 'client',
    reply: 'queue.unbind-ok',
    fields: {
      ticket: 'short',
      queue: 'shortstr',
      exchange: 'shortstr',
      routingKey: 'shortstr',
      arguments: 'table',
    },
  },
  'queue.unbind-ok': { classId: 50, methodId: 51, from: 'server', fields: {} },
  // basic: nack is RabbitMQ's, and so are ack (a publisher confirm) and cancel from the server
  'basic.qos': {
    classId: 60,
    methodId: 10,
    from: 'client',
    reply: 'basic.qos-ok',
    fields: { prefetchSize: 'long', prefetchCount: 'short', global: 'bit' },
  },
  'basic.qos-ok': { classId: 60, methodId: 11, from: 'server', fields: {} },
  'basic.consume': {
    classId: 60,
    methodId: 20,
    from: 'client',
    reply: 'basic.consume-ok',
    fields: {
      ticket: 'short',
      queue: 'shortstr',
      consumerTag: 'shortstr',
      noLocal: 'bit',
      noAck: 'bit',
      exclusive: 'bit',
      nowait: 'bit',
      arguments: 'table',
    },
  },
  'basic.consume-ok': {
    classId: 60,
    methodId: 21,
    from: 'server',
    fields: { consumerTag: 'shortstr' },
  },
  'basic.cancel': {
    classId: 60,
    methodId: 30,
    from: 'both',
    reply: 'basic.cancel-ok',
    fields: { consumerTag: 'shortstr', nowait: 'bit' },
  },
  'basic.cancel-ok': {
    classId: 60,
    methodId: 31,
    from: 'both',
    fields: { consumerTag: 'shortstr' },
  },
  'basic.publish': {
    classId: 60,
    methodId: 40,
    from: 'client',
    content: true,
    fields: {
      ticket: 'short',
      exchange: 'shortstr',
      routingKey: 'shortstr',
      mandatory: 'bit',
      immediate: 'bit',
    },
  },
  'basic.return': {
    classId: 60,
    methodId: 50,
    from: 'server',
    content: true,
    fields: {
      replyCode: 'short',
      replyText: 'shortstr',
      exchange: 'shortstr',
      routingKey: 'shortstr',
    },
  },
  'basic.deliver': {
    classId: 60,
    methodId: 60,
    from: 'server',
    content: true,
    fields: {
      consumerTag: 'shortstr',
      deliveryTag: 'longlong',
      redelivered: 'bit',
      exchange: 'shortstr',
      routingKey: 'shortstr',
    },
  },
  'basic.get': {
    classId: 60,
    methodId: 70,
    from: 'client',
    reply: ['basic.get-ok', 'basic.get-empty'],
    fields: { ticket: 'short', queue: 'shortstr', noAck: 'bit' },
  },
  'basic.get-ok': {
    classId: 60,
    methodId: 71,
    from: 'server',
    content: true,
    fields: {
      deliveryTag: 'longlong',
      redelivered: 'bit',
      exchange: 'shortstr',
      routingKey: 'shortstr',
      messageCount: 'long',
    },
  },
  'basic.get-empty': {
    classId: 60,
    methodId: 72,
    from: 'server',
    fields: { clusterId: 'shortstr' },
  },
  'basic.ack': {
    classId: 60,
    methodId: 80,
    from: 'both',
    fields: { deliveryTag: 'longlong', multiple: 'bit' },
  },
  'basic.reject': {
    classId: 60,
    methodId: 90,
    from: 'client',
    fields: { deliveryTag: 'longlong', requeue: 'bit' },
  },
  'basic.recover-async': { classId: 60, methodId: 100, from: 'client', fields: { requeue: 'bit' } },
  'basic.recover': {
    classId: 60,
    methodId: 110,
    from: 'client',
    reply: 'basic.recover-ok',
    fields: { requeue: 'bit' },
  },
  'basic.recover-ok': { classId: 60, methodId: 111, from: 'server', fields: {} },
  'basic.nack': {
    classId: 60,
    methodId: 120,
    from: 'both',
    fields: { deliveryTag: 'longlong', multiple: 'bit', requeue: 'bit' },
  },
  // confirm: RabbitMQ's publisher confirms
  'confirm.select': {
    classId: 85,
    methodId: 10,
    from: 'client',
    reply: 'confirm.select-ok',
    fields: { nowait: 'bit' },
  },
  'confirm.select-ok': { classId: 85, methodId: 11, from: 'server', fields: {} },
  // tx
  'tx.select': { classId: 90, methodId: 10, from: 'client', reply: 'tx.select-ok', fields: {} },
  'tx.select-ok': { classId: 90, methodId: 11, from: 'server', fields: {} },
  'tx.commit': { classId: 90, methodId: 20, from: 'client', reply: 'tx.commit-ok', fields: {} },
  'tx.commit-ok': { classId: 90, methodId: 21, from: 'server', fields: {} },
  'tx.rollback': { classId: 90, methodId: 30, from: 'client', reply: 'tx.rollback-ok', fields: {} },
  'tx.rollback-ok': { classId: 90, methodId: 31, from: 'server', fields: {} },
} as const;

/** A method's name, such as `queue.declare-ok`. */
export type MethodName = keyof typeof METHODS;

/**
 * The same table as plain rows, for code that walks them all. It is also what makes a misshapen row
 * a compile error: `satisfies` on the table itself is not allowed under isolatedDeclarations.
 */
export const METHOD_ROWS: Readonly<Record<MethodName, MethodRow>> = METHODS;
