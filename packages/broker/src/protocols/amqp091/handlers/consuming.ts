import { channelError, connectionError, type MethodArguments, REPLY_CODES } from '@leveret/amqp';
import { uniqueName } from '../../../base/random.js';
import { checkConsumerArguments, integerArgument } from '../../../core/queue/arguments.js';
import type { Queue } from '../../../core/queue/queue.js';
import { REPLY_TO } from '../../../core/reply-addresses.js';
import type { Channel } from '../channel.js';
import { namedOrLast } from './queue.js';

/**
 * basic.qos (0-9-1 §1.8.3.1) as RabbitMQ means it: `global=false` is for each consumer started
 * from now on, and lifts the channel's own limit; `global=true` is for all consumers of the channel
 * together.
 */
export function qos(channel: Channel, args: MethodArguments<'basic.qos'>): void {
  if (args.prefetchSize !== 0) {
    const text = `prefetch_size!=0 (${args.prefetchSize})`;
    throw connectionError(REPLY_CODES.NOT_IMPLEMENTED, text);
  }
  const { deliveries } = channel;
  if (!args.global) deliveries.consumerPrefetch = args.prefetchCount;
  channel.send('basic.qos-ok', {});
  deliveries.setChannelPrefetch(args.global ? args.prefetchCount : 0);
}

/** basic.consume (0-9-1 §1.8.3.3); `no-local` is ignored, as in RabbitMQ. */
export function consume(channel: Channel, args: MethodArguments<'basic.consume'>): void {
  checkTag(channel, args.consumerTag);
  const { context, deliveries } = channel;
  if (args.queue === REPLY_TO) {
    consumeReplies(channel, args);
    return;
  }
  const { vhost, identity, access } = context;
  const name = namedOrLast(channel, args.queue);
  access.check('read', 'queue', name);
  const queue = vhost.queues.requireAccess(name, identity);
  checkConsumerArguments(queue.name, vhost.name, args.arguments);
  const consumerTag = args.consumerTag || uniqueName(context.random, 'amq.ctag');
  const spec = {
    tag: consumerTag,
    noAck: args.noAck,
    exclusive: args.exclusive,
    prefetchCount: deliveries.consumerPrefetch,
    priority: integerArgument(args.arguments, 'x-priority') ?? 0,
    timeoutMilliseconds: integerArgument(args.arguments, 'x-consumer-timeout'),
    arguments: args.arguments,
  };
  deliveries.addConsumer(spec, queue, vhost.name);
  if (!args.nowait) channel.send('basic.consume-ok', { consumerTag });
  queue.drain();
}

/** basic.cancel (0-9-1 §1.8.3.5); an unknown tag is fine. */
export function cancel(channel: Channel, args: MethodArguments<'basic.cancel'>): void {
  const { consumerTag } = args;
  let queue: Queue | undefined;
  if (channel.replyConsumer?.tag === consumerTag) channel.cancelReplies();
  else queue = channel.deliveries.cancelConsumer(consumerTag);
  if (!args.nowait) channel.send('basic.cancel-ok', { consumerTag });
  // Another consumer may have become the active one.
  queue?.drain();
}

function checkTag(channel: Channel, tag: string): void {
  const { deliveries, context } = channel;
  if (deliveries.hasConsumer(tag)) {
    const text = `attempt to reuse consumer tag '${tag}'`;
    throw connectionError(REPLY_CODES.NOT_ALLOWED, text);
  }
  const { consumersPerChannelMax } = context.limits;
  if (deliveries.consumerCount >= consumersPerChannelMax) {
    const text = `reached maximum (${consumersPerChannelMax}) of consumers per channel`;
    throw connectionError(REPLY_CODES.NOT_ALLOWED, text);
  }
}

/** Direct reply-to: the channel itself consumes, and nothing it gets can be acknowledged. */
function consumeReplies(channel: Channel, args: MethodArguments<'basic.consume'>): void {
  if (!args.noAck) {
    throw channelError(REPLY_CODES.PRECONDITION_FAILED, 'reply consumer cannot acknowledge');
  }
  if (channel.replyConsumer !== undefined) {
    throw channelError(REPLY_CODES.PRECONDITION_FAILED, 'reply consumer already set');
  }
  const consumerTag = args.consumerTag || uniqueName(channel.context.random, 'amq.ctag');
  channel.consumeReplies(consumerTag);
  if (!args.nowait) channel.send('basic.consume-ok', { consumerTag });
}
