import type { FieldTable } from '@leveret/amqp';
import type { Deadlines } from '../../base/deadlines.js';
import type { Random } from '../../base/random.js';
import type { MessageStore } from '../../store/message-store.js';
import type { DeadLetterOffice } from '../dead-letter/dead-letter-office.js';
import type { Deduplication } from '../deduplication/deduplication.js';
import type { Message } from '../message.js';
import type { ConnectionIdentity, DeathWatch, QueueOwner } from '../ports.js';
import type { TopologyQuotas } from '../quotas/topology-quotas.js';

/** What a queue is declared with. */
export interface QueueSpec {
  readonly name: string;
  readonly durable: boolean;
  /** Goes when its last consumer has gone; a queue that never had one stays. */
  readonly autoDelete: boolean;
  /** The connection it belongs to and goes with; undefined for a queue anybody may use. */
  readonly owner: ConnectionIdentity | undefined;
  readonly arguments: FieldTable;
  /** Stands for the queue on the disk: never used again, even if the name is. */
  readonly number: number;
  /** Number of priorities above 0; 0 for a plain queue: the argument `x-max-priority`. */
  readonly maxPriority: number;
}

/** Where a queue's messages are kept. */
export interface QueueStores {
  /** The store for one priority; plain queues have level 0 alone. */
  readonly open: (level: number) => MessageStore<Message>;
  /** Priorities that hold messages from before the broker started. */
  readonly levels: readonly number[];
}

/** What a queue needs of its virtual host. */
export interface QueuePorts {
  readonly owner: QueueOwner;
  readonly stores: QueueStores;
  readonly deadlines: Deadlines;
  readonly random: Random;
  readonly deadLetterOffice: DeadLetterOffice;
  readonly deathWatch: DeathWatch;
  readonly deduplication: Deduplication;
  readonly quotas: TopologyQuotas;
}
