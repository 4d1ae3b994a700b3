import type { MethodArguments } from '@leveret/amqp';
import type { Channel } from '../channel.js';

/** exchange.declare (0-9-1 §1.6.2.1). */
export function declare(channel: Channel, args: MethodArguments<'exchange.declare'>): void {
  const { vhost, identity } = channel.context;
  if (args.passive) vhost.exchanges.requireDeclared(args.exchange);
  else vhost.exchanges.declare({ ...args, name: args.exchange }, identity);
  if (!args.nowait) channel.sendWhenDurable('exchange.declare-ok', {});
}

/** exchange.delete (0-9-1 §1.6.2.3). */
export function remove(channel: Channel, args: MethodArguments<'exchange.delete'>): void {
  const { vhost, identity } = channel.context;
  vhost.exchanges.delete(args.exchange, args.ifUnused, identity);
  if (!args.nowait) channel.sendWhenDurable('exchange.delete-ok', {});
}

/** exchange.bind (RabbitMQ's extension). */
export function bind(channel: Channel, args: MethodArguments<'exchange.bind'>): void {
  channel.context.vhost.bindExchange(args, channel.context.identity);
  if (!args.nowait) channel.sendWhenDurable('exchange.bind-ok', {});
}

/** exchange.unbind (RabbitMQ's extension). */
export function unbind(channel: Channel, args: MethodArguments<'exchange.unbind'>): void {
  channel.context.vhost.unbindExchange(args, channel.context.identity);
  if (!args.nowait) channel.sendWhenDurable('exchange.unbind-ok', {});
}
