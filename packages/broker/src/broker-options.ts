import type { Duplex } from 'node:stream';
import type { Clock } from './base/clock.js';
import type { Logger } from './base/logger.js';
import type { Machine } from './base/machine.js';
import type { Random } from './base/random.js';
import type { Authenticator, Authorizer, Unproved } from './core/ports.js';
import type { BrokerLimits } from './limits.js';
import type { ServerProperties } from './protocols/amqp091/opening/server-properties.js';
import type { RealmOptions } from './realm.js';
import type { Files } from './store/disk/files.js';
import type { SyncPolicy } from './store/journal/journal-file.js';

/** What a broker can be made with. Everything has a default. */
export interface BrokerOptions extends RealmOptions {
  /** Limits that differ from {@link DEFAULT_LIMITS}. What is no limit is a RangeError. */
  readonly limits?: Partial<BrokerLimits>;
  /** What the broker says of itself that differs from {@link SERVER_PROPERTIES}. */
  readonly serverProperties?: Partial<ServerProperties>;
  /** Who may connect. Default: the broker's own users. */
  readonly authenticator?: Authenticator;
  /**
   * Octets of messages in memory above which publishers wait, until consumers have taken a tenth of
   * them. Default: 60 % of the memory there is. Publishers also wait when the objects that messages
   * are take half of what Node.js allows its heap, some ten millions of them.
   */
  readonly memoryHighWatermarkBytes?: number;
  /** What they may do. Default: what is permitted to the broker's own users of the same name. */
  readonly authorizer?: Authorizer;
  /**
   * The user that a peer is taken for who logs in by the mechanism ANONYMOUS. Default: none, and
   * the mechanism is not offered.
   */
  readonly anonymousUser?: string;
  /**
   * The user that a peer has proved to be by the stream itself, and comes in as by the mechanism
   * EXTERNAL, without a password; or why it is nobody. Who gets undefined is not offered EXTERNAL.
   * {@link certificateUser} goes by client certificates. Default: undefined for everybody.
   */
  readonly externalUser?: (stream: Duplex) => string | Unproved | undefined;
  /** Default: says nothing. */
  readonly logger?: Logger;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Default: the one this runs on. */
  readonly machine?: Machine;
  /** Default: the operating system's. */
  readonly random?: Random;
}

/** Where a broker keeps what has to survive. */
export interface StorageOptions {
  /** Made if it is not there; of one broker at a time. */
  readonly directory: string;
  /** Size of a journal file, in octets. Default: 64 MiB. */
  readonly fileBytes?: number;
  /** Default: `always`. */
  readonly sync?: SyncPolicy;
  /**
   * Octets of messages above which queues keep only their heads in memory, and transient messages
   * go to the disk too. Default: 1 GiB.
   */
  readonly memoryBytes?: number;
  /** Free octets on the disk below which publishers wait. Default: 50,000,000. */
  readonly diskFreeBytesMin?: number;
  /** Default: the machine's disk. */
  readonly files?: Files;
}
