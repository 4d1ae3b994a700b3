import type { FieldTable, MethodArguments } from '@leveret/amqp';
import { stripLineEnds } from '../../../core/refusal.js';
import type { Channel } from '../channel.js';
import { checkBinding, checkForwarding } from './permissions.js';

/** exchange.declare (0-9-1 §1.6.2.1). */
export function declare(channel: Channel, args: MethodArguments<'exchange.declare'>): void {
  const { vhost, identity } = channel.context;
  if (args.passive) vhost.exchanges.requireDeclared(args.exchange);
  else {
    checkDeclaration(channel, stripLineEnds(args.exchange), args.arguments);
    vhost.exchanges.declare({ ...args, name: args.exchange }, identity);
  }
  if (!args.nowait) channel.sendWhenDurable('exchange.declare-ok', {});
}

/** exchange.delete (0-9-1 §1.6.2.3). */
export function remove(channel: Channel, args: MethodArguments<'exchange.delete'>): void {
  const { vhost, identity, access } = channel.context;
  const name = stripLineEnds(args.exchange);
  // What nobody may delete is refused for that.
  if (name !== '' && !name.startsWith('amq.')) access.check('configure', 'exchange', name);
  vhost.exchanges.delete(args.exchange, args.ifUnused, identity);
  if (!args.nowait) channel.sendWhenDurable('exchange.delete-ok', {});
}

/** exchange.bind (RabbitMQ's extension). */
export function bind(channel: Channel, args: MethodArguments<'exchange.bind'>): void {
  checkBinding(channel, 'exchange', args);
  channel.context.vhost.bindExchange(args, channel.context.identity);
  if (!args.nowait) channel.sendWhenDurable('exchange.bind-ok', {});
}

/** exchange.unbind (RabbitMQ's extension). */
export function unbind(channel: Channel, args: MethodArguments<'exchange.unbind'>): void {
  checkBinding(channel, 'exchange', args);
  channel.context.vhost.unbindExchange(args, channel.context.identity);
  if (!args.nowait) channel.sendWhenDurable('exchange.unbind-ok', {});
}

/** An exchange with an alternate one is declared by who may publish to that. */
function checkDeclaration(
  { context: { vhost, access } }: Channel,
  name: string,
  args: FieldTable,
): void {
  // The default exchange is declared by nobody, and refused for that.
  if (name === '') return;
  access.check('configure', 'exchange', name);
  if (vhost.exchanges.get(name) !== undefined) return;
  checkForwarding(access, 'exchange', name, args.get('alternate-exchange'));
}
