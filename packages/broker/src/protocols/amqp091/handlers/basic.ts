import { connectionError, type MethodArguments, REPLY_CODES } from '@leveret/amqp';
import type { Outcome } from '../../../core/transaction.js';
import type { Channel } from '../channel.js';
import { namedOrLast } from './queue.js';

/** basic.get (0-9-1 §1.8.3.10). */
export function get(channel: Channel, args: MethodArguments<'basic.get'>): void {
  const { vhost, identity, access } = channel.context;
  const name = namedOrLast(channel, args.queue);
  access.check('read', 'queue', name);
  const queue = vhost.queues.requireAccess(name, identity);
  queue.checkGettable(vhost.name);
  if (!args.noAck) channel.deliveries.checkRoom();
  if (!queue.isAtHand) {
    channel.repeatAfter((resume) => queue.whenAtHand(resume));
    return;
  }
  const taken = queue.get(args.noAck);
  if (taken === undefined && !queue.isAtHand) {
    channel.repeatAfter((resume) => queue.whenAtHand(resume));
    return;
  }
  if (taken === undefined) channel.send('basic.get-empty', { clusterId: '' });
  else channel.deliveries.deliverGot(queue, taken, args.noAck);
}

/** basic.ack (0-9-1 §1.8.3.13). */
export function ack(channel: Channel, args: MethodArguments<'basic.ack'>): void {
  settle(channel, args.deliveryTag, args.multiple, 'acknowledge');
}

/** basic.nack (RabbitMQ's extension). */
export function nack(channel: Channel, args: MethodArguments<'basic.nack'>): void {
  settle(channel, args.deliveryTag, args.multiple, args.requeue ? 'requeue' : 'discard');
}

/** basic.reject (0-9-1 §1.8.3.14). */
export function reject(channel: Channel, args: MethodArguments<'basic.reject'>): void {
  settle(channel, args.deliveryTag, false, args.requeue ? 'requeue' : 'discard');
}

/** basic.recover (0-9-1 §1.8.3.16); only requeueing, as in RabbitMQ. */
export function recover(channel: Channel, args: MethodArguments<'basic.recover'>): void {
  const { moveOn } = requeueAll(channel, args.requeue);
  channel.send('basic.recover-ok', {});
  moveOn();
}

/** basic.recover-async (0-9-1 §1.8.3.15): the same, without an answer. */
export function recoverAsync(channel: Channel, args: MethodArguments<'basic.recover-async'>): void {
  requeueAll(channel, args.requeue).moveOn();
}

function requeueAll(channel: Channel, requeue: boolean): { moveOn: () => void } {
  if (!requeue) throw connectionError(REPLY_CODES.NOT_IMPLEMENTED, 'requeue=false');
  return channel.deliveries.giveBackAll('returned');
}

function settle(channel: Channel, deliveryTag: number, multiple: boolean, outcome: Outcome): void {
  const { transaction } = channel.publisher;
  channel.deliveries.settle(deliveryTag, multiple, outcome, transaction);
}
