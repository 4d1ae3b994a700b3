import { channelError, type MethodArguments, REPLY_CODES } from '@leveret/amqp';
import type { Queue } from '../../../core/queue/queue.js';
import { notFound, stripLineEnds } from '../../../core/refusal.js';
import { REPLY_TO } from '../../../core/reply-addresses.js';
import type { BindingRequest } from '../../../core/virtual-host.js';
import type { Channel } from '../channel.js';
import { checkBinding, checkForwarding } from './permissions.js';

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
    : create(channel, { ...args, name });
  queue.used();
  channel.lastQueue = queue.name;
  if (args.nowait) return;
  const { messageCount, consumerCount } = queue;
  channel.sendWhenDurable('queue.declare-ok', { queue: queue.name, messageCount, consumerCount });
}

/** Queues whose messages go on to an exchange are declared by who may publish to it. */
function create(
  { context: { vhost, access, identity } }: Channel,
  request: Parameters<typeof vhost.queues.declare>[0],
): Queue {
  const name = vhost.queues.nameFor(request);
  access.check('configure', 'queue', name);
  if (vhost.queues.get(name) === undefined) {
    checkForwarding(access, 'queue', name, request.arguments.get('x-dead-letter-exchange'));
  }
  return vhost.queues.declare(request, identity, name);
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
  const { vhost, identity, access } = channel.context;
  const name = namedOrLast(channel, args.queue);
  access.check('configure', 'queue', stripLineEnds(name));
  const messageCount = vhost.queues.delete(name, identity, args);
  if (!args.nowait) channel.sendWhenDurable('queue.delete-ok', { messageCount });
}

/** queue.bind (0-9-1 §1.7.2.3). */
export function bind(channel: Channel, args: MethodArguments<'queue.bind'>): void {
  const { vhost, identity } = channel.context;
  const binding = bindingOf(channel, args);
  checkBinding(channel, 'queue', binding);
  vhost.bindQueue(binding, identity);
  if (!args.nowait) channel.sendWhenDurable('queue.bind-ok', {});
}

/** queue.unbind (0-9-1 §1.7.2.5). */
export function unbind(channel: Channel, args: MethodArguments<'queue.unbind'>): void {
  const { vhost, identity } = channel.context;
  const binding = bindingOf(channel, args);
  checkBinding(channel, 'queue', binding);
  vhost.unbindQueue(binding, identity);
  channel.sendWhenDurable('queue.unbind-ok', {});
}

/** queue.purge (0-9-1 §1.7.2.7). */
export function purge(channel: Channel, args: MethodArguments<'queue.purge'>): void {
  const { vhost, identity, access } = channel.context;
  const name = namedOrLast(channel, args.queue);
  access.check('read', 'queue', name);
  const messageCount = vhost.queues.requireAccess(name, identity).purge();
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
): BindingRequest {
  const queue = namedOrLast(channel, args.queue);
  const routingKey = args.queue === '' && args.routingKey === '' ? queue : args.routingKey;
  return { source: args.exchange, destination: queue, routingKey, arguments: args.arguments };
}
