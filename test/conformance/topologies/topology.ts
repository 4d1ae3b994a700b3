import type { RawConnection } from '../../wire/raw-connection.js';
import type { WireArguments } from '../../wire/wire-codec.js';
import type { BrokerUnderTest } from '../broker-under-test.js';
import { deleteAfterwards } from '../clients/delete-afterwards.js';

export interface ExchangeDeclaration extends WireArguments {
  readonly exchange: string;
  readonly type: string;
}

export interface QueueDeclaration extends WireArguments {
  readonly queue: string;
}

/** To a queue, or from one exchange to another. */
export type Binding =
  | { readonly queue: string; readonly exchange: string; readonly routingKey?: string }
  | { readonly destination: string; readonly source: string; readonly routingKey?: string };

/** What a framework declares when it starts. */
export interface Topology {
  readonly exchanges?: readonly ExchangeDeclaration[];
  readonly queues?: readonly QueueDeclaration[];
  readonly bindings?: readonly Binding[];
}

/** Declares all of it, each with its answer. */
export async function declareTopology(
  raw: RawConnection,
  { exchanges = [], queues = [], bindings = [] }: Topology,
): Promise<void> {
  for (const exchange of exchanges) await raw.call(1, 'exchange.declare', exchange);
  for (const queue of queues) await raw.call(1, 'queue.declare', queue);
  for (const binding of bindings) {
    await raw.call(1, 'queue' in binding ? 'queue.bind' : 'exchange.bind', binding);
  }
}

/** Deletes all of it after the file's last test, from a broker that others use, too. */
export function deleteTopologyAfterwards(
  broker: BrokerUnderTest,
  { exchanges = [], queues = [] }: Topology,
): void {
  deleteAfterwards(broker, {
    exchanges: exchanges.map(({ exchange }) => exchange),
    queues: queues.map(({ queue }) => queue),
  });
}

/** Both, one after the other. */
export function together(...topologies: readonly Topology[]): Topology {
  return {
    exchanges: topologies.flatMap(({ exchanges = [] }) => exchanges),
    queues: topologies.flatMap(({ queues = [] }) => queues),
    bindings: topologies.flatMap(({ bindings = [] }) => bindings),
  };
}
