import type { FieldValue } from '@leveret/amqp';
import type { Access } from '../../../core/ports.js';
import { stripLineEnds } from '../../../core/refusal.js';
import type { BindingRequest } from '../../../core/virtual-host.js';
import type { Channel } from '../channel.js';

/**
 * Who has messages go on to an exchange, by a dead letter or an alternate exchange, must be allowed
 * to take them out and to publish them there. Throws a Refusal.
 */
export function checkForwarding(
  access: Access,
  kind: 'queue' | 'exchange',
  name: string,
  target: FieldValue | undefined,
): void {
  // Of another type it is refused for that.
  if (target?.type !== 'S') return;
  access.check('read', kind, name);
  access.check('write', 'exchange', target.value);
}

/**
 * To bind, and to unbind, is to write to the destination and to read from the source; from a topic
 * exchange with that key. Throws a Refusal.
 */
export function checkBinding(
  { context: { vhost, access } }: Channel,
  kind: 'queue' | 'exchange',
  binding: BindingRequest,
): void {
  const source = stripLineEnds(binding.source);
  const destination = stripLineEnds(binding.destination);
  access.check('write', kind, destination);
  // The default exchange is bound to everything, and by nobody: it is refused for that.
  if (source === '' || destination === '') return;
  access.check('read', 'exchange', source);
  if (!access.governsTopics(source)) return;
  if (vhost.exchanges.get(source)?.spec.type !== 'topic') return;
  access.checkTopic('read', source, binding.routingKey);
}
