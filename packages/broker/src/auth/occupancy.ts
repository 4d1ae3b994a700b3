import type { Admission, Admissions } from '../core/ports.js';
import { Refusal } from '../core/refusal.js';
import type { UserLimits, VhostLimits } from './access-change.js';
import { limitReached } from './limits.js';

/** How many there may be of all users together. */
export interface OccupancyLimits {
  /** Connections. More: connection.close 530, as with RabbitMQ's `connection_max`. */
  readonly connectionsMax: number;
  /** Channels. More: connection.close 530, as with RabbitMQ's `channel_max_per_node`. */
  readonly brokerChannelsMax: number;
}

/** By default what takes about two gigabytes, and half of one. */
export const OCCUPANCY_LIMITS: OccupancyLimits = {
  connectionsMax: 65_536,
  brokerChannelsMax: 131_072,
};

/** Knows the limits of those who are counted. */
export interface LimitSource {
  /** Of all together. */
  readonly limits: OccupancyLimits;
  /** The broker's name among others. */
  readonly node: string;
  userLimits(name: string): UserLimits | undefined;
  vhostLimits(name: string): VhostLimits | undefined;
}

/** How many connections and channels each user and each virtual host has. */
export class Occupancy implements Admissions {
  readonly #limits: LimitSource;
  #connections = 0;
  #channels = 0;
  readonly #vhostConnections = new Map<string, number>();
  readonly #userConnections = new Map<string, number>();
  readonly #userChannels = new Map<string, number>();

  constructor(limits: LimitSource) {
    this.#limits = limits;
  }

  /** In RabbitMQ's order: of the broker, of the virtual host, of the user. */
  admit(user: string, vhost: string): Admission {
    const { connectionsMax } = this.#limits.limits;
    if (this.#connections >= connectionsMax) {
      const text = `node connection limit (${connectionsMax}) is reached`;
      throw notAllowed(`connection refused: ${text}`);
    }
    const ofVhost = this.#limits.vhostLimits(vhost)?.['max-connections'];
    let limit = limitReached(ofVhost, this.#vhostConnections.get(vhost) ?? 0);
    if (limit !== undefined) {
      const text = `access to vhost '${vhost}' refused for user '${user}'`;
      throw notAllowed(`${text}: connection limit (${limit}) is reached`);
    }
    const ofUser = this.#limits.userLimits(user)?.['max-connections'];
    limit = limitReached(ofUser, this.#userConnections.get(user) ?? 0);
    if (limit !== undefined) {
      const text = `connection refused for user '${user}'`;
      throw notAllowed(`${text}: user connection limit (${limit}) is reached`);
    }
    this.#connections++;
    add(this.#vhostConnections, vhost, 1);
    add(this.#userConnections, user, 1);
    let channels = 0;
    return {
      openChannel: () => {
        this.#checkChannels(user);
        add(this.#userChannels, user, 1);
        this.#channels++;
        channels++;
      },
      closeChannel: () => {
        add(this.#userChannels, user, -1);
        this.#channels--;
        channels--;
      },
      leave: () => {
        this.#connections--;
        this.#channels -= channels;
        add(this.#userChannels, user, -channels);
        add(this.#userConnections, user, -1);
        add(this.#vhostConnections, vhost, -1);
      },
    };
  }

  #checkChannels(user: string): void {
    const ofUser = this.#limits.userLimits(user)?.['max-channels'];
    const limit = limitReached(ofUser, this.#userChannels.get(user) ?? 0);
    if (limit !== undefined) {
      throw notAllowed(
        `number of channels opened for user '${user}' has reached ` +
          `the maximum allowed user limit of (${limit})`,
      );
    }
    const { limits, node } = this.#limits;
    if (this.#channels < limits.brokerChannelsMax) return;
    throw notAllowed(
      `number of channels opened on node '${node}' has reached ` +
        `the maximum allowed limit of ${limits.brokerChannelsMax}`,
    );
  }
}

function add(counts: Map<string, number>, key: string, change: number): void {
  const count = (counts.get(key) ?? 0) + change;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}

function notAllowed(text: string): Refusal {
  return new Refusal('not-allowed', text);
}
