import { channelError, connectionError, type MethodArguments, REPLY_CODES } from '@leveret/amqp';
import { Transaction } from '../../../core/transaction.js';
import type { Channel } from '../channel.js';

/** channel.flow (0-9-1 §1.5.2.3); a client cannot stop us, prefetch is for that (RabbitMQ). */
export function flow(channel: Channel, args: MethodArguments<'channel.flow'>): void {
  if (!args.active) throw connectionError(REPLY_CODES.NOT_IMPLEMENTED, 'active=false');
  channel.send('channel.flow-ok', { active: true });
}

/** confirm.select (RabbitMQ's extension). */
export function confirmSelect(channel: Channel, args: MethodArguments<'confirm.select'>): void {
  if (channel.publisher.transaction !== undefined) {
    throw preconditionFailed('cannot switch from tx to confirm mode');
  }
  channel.publisher.confirms.isEnabled = true;
  if (!args.nowait) channel.send('confirm.select-ok', {});
}

/** tx.select (0-9-1 §1.9.2.1). */
export function txSelect(channel: Channel): void {
  if (channel.publisher.confirms.isEnabled) {
    throw preconditionFailed('cannot switch from confirm to tx mode');
  }
  channel.publisher.transaction ??= new Transaction(channel.context.limits.stagedPerChannelMax);
  channel.send('tx.select-ok', {});
}

/**
 * tx.commit (0-9-1 §1.9.2.3): publishes, returns and settlements happen now, all in one turn; or
 * nothing of it, if a queue is too full for what is published to it.
 */
export function txCommit(channel: Channel): void {
  const transaction = transactionOf(channel);
  if (transaction.wouldBeRefused()) throw preconditionFailed('partial tx completion');
  const { publishes, settlements } = transaction.take();
  channel.publisher.commit(publishes);
  channel.deliveries.commit(settlements);
  channel.sendWhenDurable('tx.commit-ok', {});
}

/** tx.rollback (0-9-1 §1.9.2.5): deliveries stay unacknowledged, and are not sent again. */
export function txRollback(channel: Channel): void {
  const { publishes, settlements } = transactionOf(channel).take();
  for (const { message } of publishes) message.release();
  channel.deliveries.rollback(settlements);
  channel.send('tx.rollback-ok', {});
}

function transactionOf(channel: Channel): Transaction {
  const { transaction } = channel.publisher;
  if (transaction === undefined) throw preconditionFailed('channel is not transactional');
  return transaction;
}

function preconditionFailed(text: string): Error {
  return channelError(REPLY_CODES.PRECONDITION_FAILED, text);
}
