import type { Duplex } from 'node:stream';
import {
  AmqpError,
  connectionError,
  type DecodedMethod,
  DecodeError,
  decodeMethod,
  encodeMethodFrame,
  type FieldTable,
  FRAME_HEARTBEAT,
  FRAME_METHOD,
  FRAME_MIN_SIZE,
  fromWire,
  type MethodId,
  PROTOCOL_HEADER,
  REPLY_CODES,
  UnknownMethodError,
} from '@leveret/amqp';
import type { Timer } from '../../../base/clock.js';
import type {
  Admissions,
  Authenticator,
  Authorizer,
  LoginFailure,
  Unproved,
  User,
} from '../../../core/ports.js';
import { Refusal } from '../../../core/refusal.js';
import type { VirtualHost } from '../../../core/virtual-host.js';
import { reportLogin } from '../connection-events.js';
import { type ConnectionContext, contextOf, type Surroundings } from '../context.js';
import { unexpectedFrame } from '../frame-error.js';
import { refusalToError } from '../replies.js';
import { Transport, type TransportListener } from '../transport.js';
import { type Endpoints, peerFields } from './endpoints.js';
import type { Greetings } from './greetings.js';
import { mechanismsFor, type Passwordless, readResponse } from './sasl.js';

/** What a handshake needs to know of the broker. */
export interface HandshakePorts extends Surroundings {
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly admissions: Admissions;
  /** Counted as they come. */
  readonly logins: { succeeded: number; failed: number };
  /** The user for those who come by ANONYMOUS; undefined if nobody may. */
  readonly anonymousUser: string | undefined;
  /** The user that a peer has proved to be by its stream; undefined if it cannot. */
  readonly externalUser: (stream: Duplex) => string | Unproved | undefined;
  readonly greetings: Greetings;
  /** The virtual host of that name, if there is one. */
  readonly findVhost: (name: string) => VirtualHost | undefined;
}

/** Takes over from a handshake that has succeeded. */
export type Opened = (transport: Transport, context: ConnectionContext) => TransportListener;

const EMPTY = Buffer.alloc(0);

type Step = 'header' | 'start-ok' | 'login' | 'tune-ok' | 'open' | 'over';

const OPEN_OK: Buffer = encodeMethodFrame(0, 'connection.open-ok', { knownHosts: '' });

const CONNECTION_OPEN: MethodId = { classId: 10, methodId: 40 };

/** Protocol headers we speak to: 0-9-1, and 0-9, which is close enough (RabbitMQ). */
const HEADER_0_9 = Buffer.from([0x41, 0x4d, 0x51, 0x50, 1, 1, 0, 9]);

/** What a TLS client begins with instead: the type of its first record. */
const TLS_HANDSHAKE = 22;

/**
 * Brings a peer from the first octet to an open connection (0-9-1 §2.2.4), or away: only when
 * everything holds is there a connection at all.
 *
 * What goes wrong before connection.open is answered as RabbitMQ does: the socket is closed after a
 * while, without a word; only a refused login is told, to clients that ask to be.
 */
export class Handshake implements TransportListener {
  readonly #ports: HandshakePorts;
  readonly #opened: Opened;
  readonly #over: () => void;
  readonly #transport: Transport;
  #timer: Timer;
  readonly #duplex: Duplex;
  readonly #endpoints: Endpoints;
  #passwordless: Passwordless = { anonymousUser: undefined, externalUser: undefined };
  #step: Step = 'header';
  /** What has come of the header, until it is whole. */
  #header: Buffer = EMPTY;
  #user: User | undefined;
  #mechanism = '';
  #clientProperties: FieldTable = new Map();
  #frameBytesMax = 0;
  #channelsMax = 0;
  #heartbeatSeconds = 0;

  /** `over` is called when the peer is gone without a connection having come about. */
  constructor(
    duplex: Duplex,
    endpoints: Endpoints,
    ports: HandshakePorts,
    opened: Opened,
    over: () => void,
  ) {
    this.#ports = ports;
    this.#opened = opened;
    this.#over = over;
    this.#duplex = duplex;
    this.#endpoints = endpoints;
    const { turn, slices, pool, limits, clock } = ports;
    const transportPorts = { turn, slices, pool, outputBytesMax: limits.outputBytesMax };
    this.#transport = new Transport(
      duplex,
      this,
      (chunk) => this.#readHeader(chunk),
      transportPorts,
      FRAME_MIN_SIZE,
    );
    this.#timer = clock.after(limits.handshakeMilliseconds, () => this.#transport.destroy());
  }

  /** Gives the peer up: the broker is closing. */
  abandon(): void {
    this.#transport.destroy();
  }

  frame(type: number, channel: number, buffer: Buffer, start: number, end: number): void {
    try {
      if (type === FRAME_METHOD && channel === 0) this.#method(decodeMethod(buffer, start, end));
      else if (type !== FRAME_HEARTBEAT) this.#unexpectedFrame(type, buffer, start, end);
    } catch (error) {
      if (error instanceof AmqpError) this.#close(error);
      else if (error instanceof DecodeError || error instanceof UnknownMethodError) {
        this.#refuse(error.message);
      } else throw error;
    }
  }

  frameFault(): void {
    this.#refuse('a broken frame');
  }

  letGoOfChunk(): void {}

  endTurn(): void {}

  drained(): void {}

  closed(): void {
    this.#step = 'over';
    this.#timer.cancel();
    this.#over();
  }

  broken(error: unknown): void {
    const connection = this.#endpoints.name;
    this.#ports.logger.error('internal error in a handshake', { connection, error });
    this.#transport.destroy();
  }

  /** Reads the eight octets a client begins with; answers others with the right ones (§4.2.2). */
  #readHeader(chunk: Buffer): Buffer | undefined {
    const octets = Buffer.concat([this.#header, chunk]);
    const isWhole = octets.length >= PROTOCOL_HEADER.length;
    // Eight octets would keep the eight thousand alive that they are a part of.
    this.#header = isWhole ? EMPTY : octets;
    if (!isWhole) return undefined;
    const header = octets.subarray(0, PROTOCOL_HEADER.length);
    const rest = octets.subarray(PROTOCOL_HEADER.length);
    if (header.equals(PROTOCOL_HEADER) || header.equals(HEADER_0_9)) {
      this.#step = 'start-ok';
      const { anonymousUser, externalUser } = this.#ports;
      this.#passwordless = { anonymousUser, externalUser: externalUser(this.#duplex) };
      this.#transport.send(this.#ports.greetings.start(mechanismsFor(this.#passwordless)));
    } else {
      const speaks =
        header[0] === TLS_HANDSHAKE ? 'TLS, and there is none on this port' : 'not AMQP';
      this.#ports.logger.warn(`a client speaks ${speaks}`, { connection: this.#endpoints.name });
      this.#transport.send(PROTOCOL_HEADER);
      this.#transport.end();
    }
    return rest;
  }

  /** Only once the peer is about to open is it told what is wrong. */
  #unexpectedFrame(type: number, buffer: Buffer, start: number, end: number): void {
    if (this.#step === 'open') throw unexpectedFrame(type, buffer, start, end);
    this.#refuse('a frame that does not belong in a handshake');
  }

  #method(method: DecodedMethod): void {
    if (method.name === 'connection.start-ok' && this.#step === 'start-ok') {
      this.#login(method.args.mechanism, method.args.response, method.args.clientProperties);
    } else if (method.name === 'connection.tune-ok' && this.#step === 'tune-ok') {
      this.#tune(method.args.channelMax, method.args.frameMax, method.args.heartbeat);
    } else if (method.name === 'connection.open' && this.#step === 'open') {
      this.#open(method.args.virtualHost);
    } else if (method.name === 'connection.close') {
      this.#transport.send(encodeMethodFrame(0, 'connection.close-ok', {}));
      this.#transport.end();
    } else if (this.#step === 'over') {
      if (method.name === 'connection.close-ok') this.#transport.end();
    } else {
      this.#refuse(`${method.name} out of place`);
    }
  }

  #login(mechanism: string, response: string, clientProperties: FieldTable): void {
    this.#clientProperties = clientProperties;
    this.#mechanism = mechanism;
    const credentials = readResponse(mechanism, response, this.#passwordless);
    if (credentials === undefined) {
      const reason = `no credentials for mechanism ${fromWire(mechanism)}`;
      this.#ports.logins.failed++;
      this.#ports.logger.warn(`login refused: ${reason}`, peerFields(this.#endpoints));
      this.#refuse(reason);
      return;
    }
    if ('reason' in credentials) {
      this.#loggedIn('', credentials.reason);
      return;
    }
    const { user, password } = credentials;
    const { peerHost: address, isLoopback } = this.#endpoints;
    this.#step = 'login';
    const isAwaited = (): boolean => this.#step === 'login';
    const attempt = { user, password, address, isLoopback, isAwaited };
    const result = this.#ports.authenticator.login(attempt);
    if (result instanceof Promise) this.#awaitLogin(user, result);
    else this.#loggedIn(user, result);
  }

  /** Whatever the peer sends meanwhile waits, too. */
  #awaitLogin(user: string, result: Promise<User | LoginFailure>): void {
    this.#transport.holdReading(false);
    result.then(
      (outcome) => {
        if (this.#step !== 'login') return;
        this.#transport.guard(() => this.#loggedIn(user, outcome));
        this.#transport.resumeReading();
      },
      (error: unknown) => this.broken(error),
    );
  }

  /** The user, or why there is none; the name is empty if not even that is known. */
  #loggedIn(user: string, result: User | string): void {
    const { greetings, logins } = this.#ports;
    const failure = typeof result === 'string' ? result : undefined;
    reportLogin(this.#ports, this.#endpoints, this.#mechanism, user, failure);
    if (typeof result === 'string') {
      logins.failed++;
      this.#loginFailed(user, result);
      return;
    }
    logins.succeeded++;
    this.#user = result;
    this.#step = 'tune-ok';
    this.#transport.send(greetings.tune);
  }

  #loginFailed(user: string, reason: string): void {
    const mechanism = this.#mechanism;
    const whose = user === '' ? '' : ` of user '${fromWire(user)}'`;
    const fields = { mechanism, ...peerFields(this.#endpoints) };
    this.#ports.logger.warn(`login${whose} refused: ${reason}`, fields);
    if (hasCapability(this.#clientProperties, 'authentication_failure_close')) {
      const text =
        `Login was refused using authentication mechanism ${mechanism}. ` +
        'For details see the broker logfile.';
      this.#close(connectionError(REPLY_CODES.ACCESS_REFUSED, text));
      this.#cutOffLater('login refused');
    } else {
      this.#refuse('login refused');
    }
  }

  /**
   * RabbitMQ takes what is within its own limits, and neither less than the least nor "no limit".
   */
  #tune(channelsMax: number, frameBytesMax: number, heartbeatSeconds: number): void {
    const { limits } = this.#ports;
    if (frameBytesMax < FRAME_MIN_SIZE || frameBytesMax > limits.frameBytesMax) {
      this.#refuse(`frame-max ${frameBytesMax} is not from 4096 to ${limits.frameBytesMax}`);
    } else if (channelsMax === 0 || channelsMax > limits.channelsMax) {
      this.#refuse(`channel-max ${channelsMax} is not from 1 to ${limits.channelsMax}`);
    } else {
      this.#frameBytesMax = frameBytesMax;
      this.#channelsMax = channelsMax;
      this.#heartbeatSeconds = heartbeatSeconds;
      this.#transport.payloadBytesMax = frameBytesMax;
      this.#step = 'open';
    }
  }

  #open(vhostName: string): void {
    const { vhost, access, admission } = this.#enter(vhostName, this.#user!.name);
    this.#timer.cancel();
    this.#transport.send(OPEN_OK);
    const context = contextOf(this.#ports, {
      vhost,
      access,
      admission,
      user: this.#user!,
      identity: { name: this.#endpoints.name, user: this.#user!.name },
      endpoints: this.#endpoints,
      mechanism: this.#mechanism,
      connectedAt: this.#ports.clock.wallTime(),
      clientProperties: this.#clientProperties,
      takesConsumerCancel: hasCapability(this.#clientProperties, 'consumer_cancel_notify'),
      takesBlocked: hasCapability(this.#clientProperties, 'connection.blocked'),
      frameBytesMax: this.#frameBytesMax,
      channelsMax: this.#channelsMax,
      heartbeatSeconds: this.#heartbeatSeconds,
    });
    try {
      this.#transport.handOver(this.#opened(this.#transport, context));
    } catch (error) {
      admission.leave();
      throw error;
    }
  }

  /** In RabbitMQ's order: is there such a virtual host, is there room, may the user enter it. */
  #enter(
    vhostName: string,
    user: string,
  ): Pick<ConnectionContext, 'vhost' | 'access' | 'admission'> {
    const { authorizer, admissions, logger } = this.#ports;
    try {
      const vhost = this.#ports.findVhost(vhostName);
      if (vhost === undefined) throw new Refusal('not-allowed', `vhost ${vhostName} not found`);
      const admission = admissions.admit(user, vhostName);
      const access = authorizer.access(user, vhostName);
      if (access !== undefined) return { vhost, access, admission };
      admission.leave();
      const text = `access to vhost '${vhostName}' refused for user '${user}'`;
      throw new Refusal('not-allowed', text);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      logger.warn(`connection refused: ${error.message}`, { connection: this.#endpoints.name });
      throw refusalToError(error, CONNECTION_OPEN);
    }
  }

  /** Tells the peer why, and waits for it to agree. */
  #close(error: AmqpError): void {
    this.#step = 'over';
    this.#transport.send(encodeMethodFrame(0, 'connection.close', error.closeArguments()));
  }

  /** Leaves the peer waiting for a while, so that trying things out is slow. */
  #refuse(reason: string): void {
    if (this.#step === 'over') return;
    this.#step = 'over';
    this.#transport.stopReading();
    this.#cutOffLater(reason);
  }

  #cutOffLater(reason: string): void {
    this.#ports.logger.debug(`handshake refused: ${reason}`);
    const { clock, limits } = this.#ports;
    this.#timer.cancel();
    this.#timer = clock.after(limits.refusalMilliseconds, () => this.#transport.destroy());
  }
}

/** Whether a client has announced that it can do something, in its properties' `capabilities`. */
function hasCapability(clientProperties: FieldTable, name: string): boolean {
  const capabilities = clientProperties.get('capabilities');
  if (capabilities?.type !== 'F') return false;
  const capability = capabilities.value.get(name);
  return capability?.type === 't' && capability.value;
}
