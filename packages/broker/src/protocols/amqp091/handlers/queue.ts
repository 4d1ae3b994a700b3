import { channelError, type MethodArguments, REPLY_CODES } from '@leveret/amqp';
import { notFound, stripLineEnds } from '../../../core/refusal.js';
import { REPLY_TO } from '../../../core/reply-addresses.js';
import type { Channel } from '../channel.js';

/** queue.declare (0-9-1 §1.7.2.1). */
export function declare(channel: Channel, args: MethodArguments<'queue.declare'>): void {
  const { vhost, identity } = channel.context;
  const name = stripLineEnds(args.queue);
  if (name.startsWith(REPLY_TO)) {
    declareReplyAddress(channel, name, args.nowait);
    return;
  }
  const queue = args.passive
    ? vhost.queues.requireAccess(name, identity)
    : vhost.queues.declare({ ...args, name }, identity);
  queue.used();
  channel.lastQueue = queue.name;
  if (args.nowait) return;
  const { messageCount, consumerCount } = queue;
  channel.sendWhenDurable('queue.declare-ok', { queue: queue.name, messageCount, consumerCount });
}

/** A direct reply address is no queue, but asking for one tells whether anybody waits there. */
function declareReplyAddress(channel: Channel, name: string, nowait: boolean): void {
  const { vhost } = channel.context;
  if (name !== REPLY_TO && vhost.replies.find(name) === undefined) {
    throw notFound('queue', name, vhost.name);
  }
  channel.lastQueue = name;
  if (nowait) return;
  channel.send('queue.declare-ok', { queue: name, messageCount: 0, consumerCount: 1 });
}

/** queue.delete (0-9-1 §1.7.2.9). */
export function remove(channel: Channel, args: MethodArguments<'queue.delete'>): void {
  const { vhost, identity } = channel.context;
  const messageCount = vhost.queues.delete(namedOrLast(channel, args.queue), identity, args);
  if (!args.nowait) channel.sendWhenDurable('queue.delete-ok', { messageCount });
}

/** queue.bind (0-9-1 §1.7.2.3). */
export function bind(channel: Channel, args: MethodArguments<'queue.bind'>): void {
  const { vhost, identity } = channel.context;
  vhost.bindQueue(bindingOf(channel, args), identity);
  if (!args.nowait) channel.sendWhenDurable('queue.bind-ok', {});
}

/** queue.unbind (0-9-1 §1.7.2.5). */
export function unbind(channel: Channel, args: MethodArguments<'queue.unbind'>): void {
  const { vhost, identity } = channel.context;
  vhost.unbindQueue(bindingOf(channel, args), identity);
  channel.sendWhenDurable('queue.unbind-ok', {});
}

/** queue.purge (0-9-1 §1.7.2.7). */
export function purge(channel: Channel, args: MethodArguments<'queue.purge'>): void {
  const { vhost, identity } = channel.context;
  const queue = vhost.queues.requireAccess(namedOrLast(channel, args.queue), identity);
  const messageCount = queue.purge();
  if (!args.nowait) channel.sendWhenDurable('queue.purge-ok', { messageCount });
}

/** An empty queue name means the queue declared last on the channel. */
export function namedOrLast(channel: Channel, name: string): string {
  if (name !== '') return name;
  if (channel.lastQueue === '') {
    throw channelError(REPLY_CODES.NOT_FOUND, 'no previously declared queue');
  }
  return channel.lastQueue;
}

/** With both names empty, the queue declared last is bound with its own name. */
function bindingOf(
  channel: Channel,
  args: MethodArguments<'queue.bind'> | MethodArguments<'queue.unbind'>,
): Parameters<Channel['context']['vhost']['bindQueue']>[0] {
  const queue = namedOrLast(channel, args.queue);
  const routingKey = args.queue === '' && args.routingKey === '' ? queue : args.routingKey;
  return { source: args.exchange, destination: queue, routingKey, arguments: args.arguments };
}
