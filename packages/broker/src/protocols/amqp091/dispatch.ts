import { connectionError, type DecodedMethod, REPLY_CODES } from '@leveret/amqp';
import type { Channel } from './channel.js';
import * as basic from './handlers/basic.js';
import * as consuming from './handlers/consuming.js';
import * as exchange from './handlers/exchange.js';
import * as modes from './handlers/modes.js';
import * as queue from './handlers/queue.js';

/** Hands a method on a channel to its handler; basic.publish and basic.ack have gone before. */
export function dispatch(channel: Channel, method: DecodedMethod): void {
  switch (method.name) {
    case 'channel.flow':
      return modes.flow(channel, method.args);
    case 'access.request':
      return channel.send('access.request-ok', { ticket: 1 });
    case 'exchange.declare':
      return exchange.declare(channel, method.args);
    case 'exchange.delete':
      return exchange.remove(channel, method.args);
    case 'exchange.bind':
      return exchange.bind(channel, method.args);
    case 'exchange.unbind':
      return exchange.unbind(channel, method.args);
    case 'queue.declare':
      return queue.declare(channel, method.args);
    case 'queue.delete':
      return queue.remove(channel, method.args);
    case 'queue.bind':
      return queue.bind(channel, method.args);
    case 'queue.unbind':
      return queue.unbind(channel, method.args);
    case 'queue.purge':
      return queue.purge(channel, method.args);
    case 'basic.qos':
      return consuming.qos(channel, method.args);
    case 'basic.consume':
      return consuming.consume(channel, method.args);
    case 'basic.cancel':
      return consuming.cancel(channel, method.args);
    case 'basic.get':
      return basic.get(channel, method.args);
    case 'basic.ack':
      return basic.ack(channel, method.args);
    case 'basic.nack':
      return basic.nack(channel, method.args);
    case 'basic.reject':
      return basic.reject(channel, method.args);
    case 'basic.recover':
      return basic.recover(channel, method.args);
    case 'basic.recover-async':
      return basic.recoverAsync(channel, method.args);
    case 'confirm.select':
      return modes.confirmSelect(channel, method.args);
    case 'tx.select':
      return modes.txSelect(channel);
    case 'tx.commit':
      return modes.txCommit(channel);
    case 'tx.rollback':
      return modes.txRollback(channel);
    default:
      throw connectionError(REPLY_CODES.COMMAND_INVALID, 'unimplemented method');
  }
}
