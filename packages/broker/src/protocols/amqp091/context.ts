import type { FieldTable } from '@leveret/amqp';
import type { BufferPool } from '../../base/buffer-pool.js';
import type { Clock } from '../../base/clock.js';
import type { Deadlines } from '../../base/deadlines.js';
import type { Logger } from '../../base/logger.js';
import type { Random } from '../../base/random.js';
import type { TimeSlices } from '../../base/slices/time-slices.js';
import type { Turn } from '../../base/turn.js';
import type {
  Access,
  Admission,
  ConnectionIdentity,
  Durability,
  EventSink,
  PublishersWait,
  User,
} from '../../core/ports.js';
import type { VirtualHost } from '../../core/virtual-host.js';
import type { SlabAllocator } from '../../store/slab.js';
import type { ConnectionLimits } from './limits.js';
import type { Endpoints } from './opening/endpoints.js';

/** What every connection of a broker shares: the ports to the world, and the limits. */
export interface Surroundings {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly random: Random;
  readonly logger: Logger;
  readonly turn: Turn;
  readonly slices: TimeSlices;
  readonly pool: BufferPool;
  readonly slabs: SlabAllocator;
  readonly limits: ConnectionLimits;
  readonly durability: Durability;
  readonly alarms: PublishersWait;
  readonly events: EventSink;
  /** The broker's name among others; a wire string. */
  readonly node: string;
}

/** What the handshake settled, for the rest of a connection's life. */
export interface Settled {
  readonly vhost: VirtualHost;
  readonly user: User;
  /** What the user may do in the virtual host. */
  readonly access: Access;
  /** Counts the connection and its channels. */
  readonly admission: Admission;
  /** Owner of the connection's exclusive queues. */
  readonly identity: ConnectionIdentity;
  readonly endpoints: Endpoints;
  /** How the user has logged in: `PLAIN`. */
  readonly mechanism: string;
  /** When, in milliseconds since 1970. */
  readonly connectedAt: number;
  readonly clientProperties: FieldTable;
  /** Whether the client takes basic.cancel from us. */
  readonly takesConsumerCancel: boolean;
  /** Whether the client wants to know that its publishes wait: connection.blocked. */
  readonly takesBlocked: boolean;
  /** Negotiated: the largest frame, header and end octet included, in octets. */
  readonly frameBytesMax: number;
  /** Negotiated: channels open at a time. */
  readonly channelsMax: number;
  /** Negotiated: in seconds; 0 for none. */
  readonly heartbeatSeconds: number;
}

/** All that a connection knows of the world and of itself. */
export interface ConnectionContext extends Surroundings, Settled {}

/**
 * Puts the two together, field by field: from objects that were spread into one V8 makes one of a
 * new shape for each connection, and then has to find its fields anew wherever it is read.
 */
export function contextOf(surroundings: Surroundings, settled: Settled): ConnectionContext {
  return {
    clock: surroundings.clock,
    deadlines: surroundings.deadlines,
    random: surroundings.random,
    logger: surroundings.logger,
    turn: surroundings.turn,
    slices: surroundings.slices,
    pool: surroundings.pool,
    slabs: surroundings.slabs,
    limits: surroundings.limits,
    durability: surroundings.durability,
    alarms: surroundings.alarms,
    events: surroundings.events,
    node: surroundings.node,
    vhost: settled.vhost,
    user: settled.user,
    access: settled.access,
    admission: settled.admission,
    identity: settled.identity,
    endpoints: settled.endpoints,
    mechanism: settled.mechanism,
    connectedAt: settled.connectedAt,
    clientProperties: settled.clientProperties,
    takesConsumerCancel: settled.takesConsumerCancel,
    takesBlocked: settled.takesBlocked,
    frameBytesMax: settled.frameBytesMax,
    channelsMax: settled.channelsMax,
    heartbeatSeconds: settled.heartbeatSeconds,
  };
}
