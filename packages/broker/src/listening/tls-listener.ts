import type { Socket } from 'node:net';
import {
  createSecureContext,
  createServer,
  type SecureContext,
  type SecureContextOptions,
  type Server,
  type TLSSocket,
} from 'node:tls';
import type { Place } from '../base/lists/linked-list.js';
import type { Logger } from '../base/logger.js';
import { type Listener, listen } from './listener.js';
import { Newcomers } from './newcomers.js';

/** Who the broker says it is: PEM, each a text or octets. */
export interface TlsIdentity {
  readonly key: string | Buffer;
  /** The certificate, followed by those between it and the authority's, if there are any. */
  readonly cert: string | Buffer;
}

/** What is needed to serve TLS, and may be renewed while the broker runs. */
export interface TlsCredentials extends TlsIdentity {
  /** The authorities whose clients' certificates are believed. Default: those Node.js knows. */
  readonly ca?: string | Buffer;
  /**
   * Lists of the certificates that authorities have taken back (CRLs), PEM one behind the other.
   * There has to be one, which has not run out, of each authority up to the root. Default: none are
   * looked at.
   */
  readonly crl?: string | Buffer;
  /** Other identities, for clients that ask for another name (SNI): by that name, in lower case. */
  readonly serverNames?: Readonly<Record<string, TlsIdentity>>;
}

/** How TLS is served. */
export interface TlsOptions extends TlsCredentials {
  /** TCP port; 0 for a free one. Default: 5671. */
  readonly port?: number;
  /**
   * Whether clients have to show a certificate: `none` are asked; who is asked by `request` may
   * have none, but not one that is not believed; `require` lets nobody in without. Default: `none`.
   */
  readonly clientCertificates?: 'none' | 'request' | 'require';
  /** The oldest version that is spoken. Default: TLSv1.2. */
  readonly minVersion?: TlsVersion;
}

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

/** AMQP's port for TLS, as registered. */
const TLS_PORT = 5_671;

/** A TCP port on which TLS is spoken. */
export interface TlsListener extends Listener {
  /**
   * Changes who the broker says it is, and whom it believes, for connections from now on; those
   * that exist go on. Throws Node's error if a key does not fit its certificate, or either is no
   * PEM; then nothing has changed.
   */
  renew(credentials: TlsCredentials): void;
}

/** What goes with the options of {@link listenTls}. */
export interface TlsListenerPorts {
  readonly accept: (socket: Socket) => void;
  readonly logger: Logger;
  /** Time a client has for the TLS handshake, in milliseconds. */
  readonly handshakeMilliseconds: number;
  /** How many may be at it at a time: for one more the oldest is cut off. */
  readonly handshakesMax: number;
}

/** Listens for TLS; see {@link listen}. Rejects also if the credentials are not good. */
export async function listenTls(
  options: TlsOptions,
  hosts: readonly string[],
  ports: TlsListenerPorts,
): Promise<TlsListener> {
  const { accept, logger, handshakeMilliseconds } = ports;
  const { port = TLS_PORT, minVersion = 'TLSv1.2', clientCertificates = 'none' } = options;
  let others = contextsOf(options, minVersion);
  const servers: Server[] = [];
  const halfOpen = new HalfOpen(ports);
  const newServer = (): Server => {
    const server = createServer(
      {
        ...contextOptions(options, options, minVersion),
        handshakeTimeout: handshakeMilliseconds,
        requestCert: clientCertificates !== 'none',
        rejectUnauthorized: clientCertificates === 'require',
        SNICallback: (name, done) => done(null, others.get(name.toLowerCase())),
      },
      (socket) => {
        halfOpen.done(socket);
        const isUnknown = !socket.authorized && socket.getPeerX509Certificate() !== undefined;
        if (clientCertificates === 'request' && isUnknown) refused(socket, unbelieved(socket));
        else accept(socket);
      },
    );
    server.on('connection', (socket) => halfOpen.begun(socket));
    server.on('tlsClientError', (error, socket) => {
      const unbelievedFor = unbelieved(socket);
      // Who has just gone, or was cut off, has done nothing that somebody could put right.
      const hasGone = (error as NodeJS.ErrnoException).code === 'ECONNRESET';
      if (hasGone && unbelievedFor === undefined) socket.destroy();
      else refused(socket, unbelievedFor ?? reasonOf(error));
    });
    servers.push(server);
    return server;
  };
  const refused = (socket: Socket, reason: string | undefined): void => {
    const { remoteAddress, remotePort } = socket;
    // Node.js cuts off itself whom it does not believe, and has forgotten by then who it was.
    const peer = remoteAddress === undefined ? 'a client' : `${remoteAddress}:${remotePort}`;
    logger.warn(`TLS with ${peer} has failed: ${reason}`);
    socket.destroy();
  };
  const failed = (error: Error): void => {
    logger.error('cannot accept a connection with TLS', { error });
  };
  const listener = await listen(port, hosts, newServer, failed);
  return {
    ...listener,
    close: async () => {
      const closed = listener.close();
      halfOpen.endAll();
      await closed;
    },
    renew: (credentials) => {
      const context = contextOptions(credentials, credentials, minVersion);
      const renewed = contextsOf(credentials, minVersion);
      // Of several servers none is to change if one would not.
      createSecureContext(context);
      for (const server of servers) server.setSecureContext(context);
      others = renewed;
    },
  };
}

/** The sockets over which a client has not yet agreed on TLS. */
class HalfOpen {
  readonly #newcomers: Newcomers<Socket>;
  /** By the client's address and port: what is a socket first is another one when it speaks TLS. */
  readonly #byPeer = new Map<string, Place<Socket>>();

  constructor({ handshakesMax, logger }: TlsListenerPorts) {
    this.#newcomers = new Newcomers({
      max: handshakesMax,
      turnAway: (socket) => socket.destroy(),
      logger,
      doing: 'their TLS handshake',
    });
  }

  begun(socket: Socket): void {
    const peer = peerOf(socket);
    const place = this.#newcomers.add(socket);
    this.#byPeer.set(peer, place);
    socket.once('close', () => {
      this.#newcomers.delete(place);
      if (this.#byPeer.get(peer) === place) this.#byPeer.delete(peer);
    });
  }

  done(secured: Socket): void {
    const peer = peerOf(secured);
    const place = this.#byPeer.get(peer);
    if (place === undefined) return;
    this.#byPeer.delete(peer);
    this.#newcomers.delete(place);
  }

  endAll(): void {
    this.#newcomers.turnAllAway();
  }
}

function peerOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remoteAddress}:${remotePort}`;
}

function contextsOf(
  credentials: TlsCredentials,
  minVersion: TlsVersion,
): Map<string, SecureContext> {
  const entries = Object.entries(credentials.serverNames ?? {}).map(([name, identity]) => {
    const context = createSecureContext(contextOptions(identity, credentials, minVersion));
    return [name.toLowerCase(), context] as const;
  });
  return new Map(entries);
}

function contextOptions(
  { key, cert }: TlsIdentity,
  { ca, crl }: TlsCredentials,
  minVersion: TlsVersion,
): SecureContextOptions {
  const believed = ca === undefined ? {} : { ca };
  return { key, cert, ...believed, ...(crl && { crl: listsIn(crl) }), minVersion };
}

/** Node.js takes one list a text, and does not look behind it. */
function listsIn(crl: string | Buffer): string[] {
  const text = crl.toString();
  return text.match(/-----BEGIN X509 CRL-----.*?-----END X509 CRL-----/gs) ?? [text];
}

/** Why a certificate that was shown is not believed; undefined if it is not that. */
function unbelieved({ authorizationError }: TLSSocket): string | undefined {
  // By the types it is an error; it is the name of one.
  const code: unknown = authorizationError;
  return code ? `the client's certificate is not believed: ${String(code)}` : undefined;
}

/** What went wrong, in words that name what to do about it where that is known. */
function reasonOf(error: Error): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_HTTP_REQUEST':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return 'the client does not speak TLS; it may want the port without';
    case 'ERR_SSL_UNSUPPORTED_PROTOCOL':
      return 'the client speaks versions of TLS only that are too old';
    case 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE':
      return 'the client has shown no certificate';
    default:
      return error.message;
  }
}
