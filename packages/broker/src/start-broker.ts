import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { DEFAULT_PORT } from '@leveret/amqp';
import type { PermissionSettings, UserSettings, VhostSettings } from './access-settings.js';
import { silentLogger } from './base/logger.js';
import { Broker, type LoginCounts } from './broker.js';
import type { BrokerOptions, StorageOptions } from './broker-options.js';
import type { ExplainRequest } from './control/explain-publish.js';
import type { VirtualHostControl } from './control/virtual-host-control.js';
import type { Explanation, UnroutableMessage } from './core/explain/explanation.js';
import { limitsOf } from './limits.js';
import { type Listener, listen, plainServer } from './listening/listener.js';
import { listenTls, type TlsCredentials, type TlsOptions } from './listening/tls-listener.js';

/** Options of {@link startBroker}: the broker's own, and where to listen. */
export interface StartOptions extends BrokerOptions {
  /** TCP port; 0 for a free one. Default: 5672. */
  readonly port?: number;
  /** Address or addresses to listen on. Default: 127.0.0.1. */
  readonly host?: string | readonly string[];
  /** How to serve TLS, on a port of its own. Default: not at all. */
  readonly tls?: TlsOptions;
  /** Where to keep what has to survive. Default: nowhere, everything is in memory. */
  readonly storage?: StorageOptions;
}

/** A broker that listens. */
export interface RunningBroker {
  /**
   * For clients on this machine: `amqp://guest:guest@127.0.0.1:5672`. Without user and password if
   * the broker was given a default user.
   */
  readonly url: string;
  readonly port: number;
  /** The same with TLS: `amqps://guest:guest@127.0.0.1:5671`. Undefined if it is not served. */
  readonly tlsUrl: string | undefined;
  /** Changes who the broker says it is, see TlsListener. Throws a TypeError if it serves no TLS. */
  renewTls(credentials: TlsCredentials): void;
  /** What there is to set in a virtual host. Throws a RangeError if there is none of that name. */
  vhost(name: string): VirtualHostControl;
  /** See {@link Broker.setMemoryHighWatermark}. */
  setMemoryHighWatermark(bytes?: number): void;
  /** The users, and what is theirs. */
  readonly users: UserSettings;
  /** What the users may do. */
  readonly permissions: PermissionSettings;
  /** The virtual hosts, as things to make and to delete; {@link vhost} has what is in one. */
  readonly vhosts: VhostSettings;
  /** How many peers have logged in, and how many have not been let in. */
  readonly logins: LoginCounts;
  /** Says where a message would go and why: see {@link Broker.explain}. */
  explain(request: ExplainRequest): Explanation;
  /** The messages of late that reached no queue: see {@link Broker.unroutable}. */
  unroutable(vhost?: string): readonly UnroutableMessage[];
  /** Serves a peer on a stream of any kind, besides those that come by the port. */
  accept(duplex: Duplex): void;
  /** Stops listening, ends every connection with 320, and leaves nothing open. */
  close(): Promise<void>;
}

/**
 * Starts a broker on a TCP port.
 *
 * ```ts
 * const broker = await startBroker({ port: 0 });
 * const connection = await amqplib.connect(broker.url);
 * // ...
 * await broker.close();
 * ```
 *
 * Rejects with Node's error if the port cannot be had (EADDRINUSE, EADDRNOTAVAIL, EACCES), and as
 * {@link Broker.open} does.
 */
export async function startBroker(options: StartOptions = {}): Promise<RunningBroker> {
  const { port = DEFAULT_PORT, host = '127.0.0.1', storage } = options;
  const hosts = typeof host === 'string' ? [host] : host;
  const broker =
    storage === undefined ? new Broker(options) : await Broker.open({ ...options, storage });
  const listeners: Listener[] = [];
  const close = async (): Promise<void> => {
    await Promise.all([...listeners.map((each) => each.close()), broker.close()]);
  };
  try {
    const logger = options.logger ?? silentLogger;
    const accept = (socket: Socket): void => broker.accept(socket);
    const listener = await listen(port, hosts, plainServer(accept), (error) =>
      logger.error('cannot accept a connection', { error }),
    );
    listeners.push(listener);
    const { handshakeMilliseconds, handshakesMax } = limitsOf(options.limits);
    const tlsPorts = { accept, logger, handshakeMilliseconds, handshakesMax };
    const tls = options.tls && (await listenTls(options.tls, hosts, tlsPorts));
    if (tls !== undefined) listeners.push(tls);
    const { users, permissions, vhosts, logins } = broker;
    const credentials = options.defaultUser === undefined ? 'guest:guest@' : '';
    const urlOf = (scheme: 'amqp' | 'amqps', port: number): string =>
      `${scheme}://${credentials}${addressOf(hosts[0] ?? '127.0.0.1', port)}`;
    return {
      url: urlOf('amqp', listener.port),
      users,
      permissions,
      vhosts,
      logins,
      port: listener.port,
      tlsUrl: tls && urlOf('amqps', tls.port),
      renewTls: (credentials) => {
        if (tls === undefined) throw new TypeError('the broker was started without TLS');
        tls.renew(credentials);
      },
      vhost: (name) => broker.vhost(name),
      setMemoryHighWatermark: (bytes) => broker.setMemoryHighWatermark(bytes),
      explain: (request) => broker.explain(request),
      unroutable: (vhost) => broker.unroutable(vhost),
      accept: (duplex) => broker.accept(duplex),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** An address that means every one is reached by the loopback address from here. */
function addressOf(host: string, port: number): string {
  const reachable = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }[host] ?? host;
  const quoted =
    reachable.includes(':') && !reachable.startsWith('[') ? `[${reachable}]` : reachable;
  return `${quoted}:${port}`;
}
