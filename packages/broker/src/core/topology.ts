import { decodeTable, encodeTable, type FieldTable } from '@leveret/amqp';
import type { Exchange } from './exchange/exchange.js';
import type { Binding } from './exchange/router.js';
import type { Policy, PolicyKind } from './policy/policy.js';
import type { Queue } from './queue/queue.js';

/**
 * A change to what survives a restart: durable exchanges, durable queues that are not exclusive,
 * bindings between them, and policies. It is plain data, for the journal to keep as JSON; strings
 * are wire strings, arguments are field tables in base64.
 */
export type TopologyChange =
  | {
      readonly what: 'exchange';
      readonly vhost: string;
      readonly name: string;
      readonly type: string;
      readonly autoDelete: boolean;
      readonly internal: boolean;
      readonly arguments: string;
    }
  | { readonly what: 'exchange-deleted'; readonly vhost: string; readonly name: string }
  | {
      readonly what: 'queue';
      readonly vhost: string;
      readonly name: string;
      readonly number: number;
      readonly autoDelete: boolean;
      readonly arguments: string;
    }
  | {
      readonly what: 'queue-deleted';
      readonly vhost: string;
      readonly name: string;
      readonly number: number;
    }
  | {
      readonly what: 'binding' | 'unbinding';
      readonly vhost: string;
      readonly source: string;
      readonly destinationKind: 'queue' | 'exchange';
      readonly destination: string;
      readonly routingKey: string;
      readonly arguments: string;
    }
  | {
      readonly what: 'policy';
      readonly vhost: string;
      readonly kind: PolicyKind;
      readonly policy: Policy;
    }
  | {
      readonly what: 'policy-deleted';
      readonly vhost: string;
      readonly kind: PolicyKind;
      readonly name: string;
    }
  /** A window of keys that survives; its number is from the same row as queues'. */
  | {
      readonly what: 'window' | 'window-ended';
      readonly vhost: string;
      readonly kind: 'queue' | 'exchange';
      readonly name: string;
      readonly number: number;
    }
  /** An exchange has delayed messages, which are kept as those of a queue of that number. */
  | {
      readonly what: 'delays';
      readonly vhost: string;
      readonly exchange: string;
      readonly number: number;
    }
  | { readonly what: 'delays-deleted'; readonly vhost: string; readonly number: number }
  /** The number that the next queue will get. */
  | { readonly what: 'queue-numbers'; readonly next: number };

export function exchangeChange(vhost: string, { spec }: Exchange): TopologyChange {
  const { name, type, autoDelete, internal } = spec;
  const args = encodeArguments(spec.arguments);
  return { what: 'exchange', vhost, name, type, autoDelete, internal, arguments: args };
}

export function queueChange(vhost: string, { spec }: Queue): TopologyChange {
  const { name, number, autoDelete } = spec;
  const args = encodeArguments(spec.arguments);
  return { what: 'queue', vhost, name, number, autoDelete, arguments: args };
}

export function policyChange(
  vhost: string,
  kind: PolicyKind,
  name: string,
  policy: Policy | undefined,
): TopologyChange {
  if (policy === undefined) return { what: 'policy-deleted', vhost, kind, name };
  return { what: 'policy', vhost, kind, policy };
}

export function bindingChange(
  what: 'binding' | 'unbinding',
  vhost: string,
  binding: Binding,
): TopologyChange {
  return {
    what,
    vhost,
    source: binding.source.name,
    destinationKind: binding.destination.kind,
    destination: binding.destination.name,
    routingKey: binding.routingKey,
    arguments: encodeArguments(binding.arguments),
  };
}

/** Whether a binding outlives a restart: both its ends do. */
export function isDurable({ source, destination }: Binding): boolean {
  return source.spec.durable && destination.spec.durable;
}

export function decodeArguments(encoded: string): FieldTable {
  const bytes = Buffer.from(encoded, 'base64');
  return decodeTable(bytes, 0, bytes.length);
}

function encodeArguments(args: FieldTable): string {
  return encodeTable(args).toString('base64');
}
