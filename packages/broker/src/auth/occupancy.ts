import type { Admission, Admissions } from '../core/ports.js';
import { Refusal } from '../core/refusal.js';
import type { UserLimits, VhostLimits } from './access-change.js';
import { limitReached } from './limits.js';

/** Knows the limits of those who are counted. */
export interface LimitSource {
  userLimits(name: string): UserLimits | undefined;
  vhostLimits(name: string): VhostLimits | undefined;
}

/** How many connections and channels each user and each virtual host has. */
export class Occupancy implements Admissions {
  readonly #limits: LimitSource;
  readonly #vhostConnections = new Map<string, number>();
  readonly #userConnections = new Map<string, number>();
  readonly #userChannels = new Map<string, number>();

  constructor(limits: LimitSource) {
    this.#limits = limits;
  }

  admit(user: string, vhost: string): Admission {
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
    add(this.#vhostConnections, vhost, 1);
    add(this.#userConnections, user, 1);
    let channels = 0;
    return {
      openChannel: () => {
        this.#checkChannels(user);
        add(this.#userChannels, user, 1);
        channels++;
      },
      closeChannel: () => {
        add(this.#userChannels, user, -1);
        channels--;
      },
      leave: () => {
        add(this.#userChannels, user, -channels);
        add(this.#userConnections, user, -1);
        add(this.#vhostConnections, vhost, -1);
      },
    };
  }

  #checkChannels(user: string): void {
    const ofUser = this.#limits.userLimits(user)?.['max-channels'];
    const limit = limitReached(ofUser, this.#userChannels.get(user) ?? 0);
    if (limit === undefined) return;
    throw notAllowed(
      `number of channels opened for user '${user}' has reached ` +
        `the maximum allowed user limit of (${limit})`,
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
