import type { MethodArguments } from '@leveret/amqp';
import type { Channel } from '../channel.js';

/** exchange.declare (0-9-1 §1.6.2.1). */
export function declare(channel: Channel, args: MethodArguments<'exchange.declare'>): void {
  const { exchanges } = channel.context.vhost;
  if (args.passive) exchanges.requireDeclared(args.exchange);
  else exchanges.declare({ ...args, name: args.exchange });
  if (!args.nowait) channel.sendWhenDurable('exchange.declare-ok', {});
}

/** exchange.delete (0-9-1 §1.6.2.3). */
export function remove(channel: Channel, args: MethodArguments<'exchange.delete'>): void {
  channel.context.vhost.exchanges.delete(args.exchange, args.ifUnused);
  if (!args.nowait) channel.sendWhenDurable('exchange.delete-ok', {});
}

/** exchange.bind (RabbitMQ's extension). */
export function bind(channel: Channel, args: MethodArguments<'exchange.bind'>): void {
  channel.context.vhost.bindExchange(args);
  if (!args.nowait) channel.sendWhenDurable('exchange.bind-ok', {});
}

/** exchange.unbind (RabbitMQ's extension). */
export function unbind(channel: Channel, args: MethodArguments<'exchange.unbind'>): void {
  channel.context.vhost.unbindExchange(args);
  if (!args.nowait) channel.sendWhenDurable('exchange.unbind-ok', {});
}
