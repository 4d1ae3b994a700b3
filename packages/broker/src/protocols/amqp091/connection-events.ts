import type { ConsumerSpec } from '../../core/consumer.js';
import { flag, number, terms, text } from '../../core/events/event-headers.js';
import type { EventHeader, EventSink } from '../../core/ports.js';
import type { ConnectionContext } from './context.js';
import { addressTerm, type CertificateSummary, type Endpoints } from './opening/endpoints.js';

/** RabbitMQ's name for the protocol. */
const PROTOCOL = '{0,9,1}';

/** Whoever the broker is when it ends a consumer by itself. */
const BROKER = 'rmq-internal';

/**
 * Reports that somebody has logged in or, with the reason, has not been let. The user is empty if
 * not even the name is known.
 */
export function reportLogin(
  { events }: { readonly events: EventSink },
  { name, host, peerHost, peerPort, isEncrypted, certificate }: Endpoints,
  mechanism: string,
  user: string,
  failure: string | undefined,
): void {
  if (!events.isHeard) return;
  const outcome = failure === undefined ? 'success' : 'failure';
  const whose = user === '' ? '' : `user '${user}' - `;
  events.emit(`user.authentication.${outcome}`, [
    text('connection_type', 'network'),
    ...(user === '' ? [] : [text('name', user)]),
    text('host', addressTerm(host)),
    text('connection_name', name),
    text('peer_host', addressTerm(peerHost)),
    number('peer_port', peerPort),
    text('protocol', PROTOCOL),
    text('auth_mechanism', mechanism),
    flag('ssl', isEncrypted),
    ...certificateHeaders(certificate),
    ...(failure === undefined ? [] : [text('error', `${whose}${failure}`)]),
  ]);
}

/** Reports that a connection is open, with the headers that RabbitMQ gives the event. */
export function reportConnectionCreated(context: ConnectionContext): void {
  const { events, endpoints, user } = context;
  if (!events.isHeard) return;
  const { name, host, port, peerHost, peerPort, isEncrypted, certificate } = endpoints;
  events.emit('connection.created', [
    text('type', 'network'),
    text('pid', name),
    text('name', name),
    number('port', port),
    number('peer_port', peerPort),
    text('host', addressTerm(host)),
    text('peer_host', addressTerm(peerHost)),
    flag('ssl', isEncrypted),
    ...certificateHeaders(certificate),
    text('auth_mechanism', context.mechanism),
    text('protocol', PROTOCOL),
    text('user', user.name),
    text('vhost', context.vhost.name),
    number('timeout', context.heartbeatSeconds),
    number('frame_max', context.frameBytesMax),
    number('channel_max', context.channelsMax),
    terms('client_properties', context.clientProperties),
    number('connected_at', context.connectedAt),
    text('node', context.node),
    text('user_who_performed_action', user.name),
  ]);
}

function certificateHeaders(certificate: CertificateSummary | undefined): EventHeader[] {
  if (certificate === undefined) return [];
  const { subject, issuer, validity } = certificate;
  return [
    text('peer_cert_subject', subject),
    text('peer_cert_issuer', issuer),
    text('peer_cert_validity', validity),
  ];
}

/** Reports that a connection is closed. */
export function reportConnectionClosed(context: ConnectionContext): void {
  const { events, endpoints, clientProperties, node } = context;
  if (!events.isHeard) return;
  const given = clientProperties.get('connection_name');
  events.emit('connection.closed', [
    ...(given?.type === 'S' ? [text('user_provided_name', given.value)] : []),
    text('name', endpoints.name),
    text('pid', endpoints.name),
    text('node', node),
    terms('client_properties', clientProperties),
  ]);
}

/** Reports what happens on a channel. Where RabbitMQ has a process id, we have the name. */
export class ChannelEvents {
  readonly #context: ConnectionContext;
  readonly #number: number;

  constructor(context: ConnectionContext, channelNumber: number) {
    this.#context = context;
    this.#number = channelNumber;
  }

  created(): void {
    const { events, endpoints, user, vhost } = this.#context;
    if (!events.isHeard) return;
    events.emit('channel.created', [
      text('pid', this.#name),
      text('name', this.#name),
      text('connection', endpoints.name),
      number('number', this.#number),
      text('user', user.name),
      text('vhost', vhost.name),
      text('user_who_performed_action', user.name),
    ]);
  }

  closed(): void {
    const { events, user } = this.#context;
    if (!events.isHeard) return;
    events.emit('channel.closed', [
      text('pid', this.#name),
      text('user_who_performed_action', user.name),
    ]);
  }

  consumerCreated(spec: ConsumerSpec, queue: string): void {
    if (!this.#context.events.isHeard) return;
    this.#context.events.emit('consumer.created', [
      text('consumer_tag', spec.tag),
      flag('exclusive', spec.exclusive),
      flag('ack_required', !spec.noAck),
      ...this.#at(queue),
      number('prefetch_count', spec.prefetchCount),
      terms('arguments', spec.arguments),
      text('user_who_performed_action', this.#context.user.name),
    ]);
  }

  /** `byClient`: it asked for it; otherwise the consumer ends with its channel or its queue. */
  consumerDeleted(consumerTag: string, queue: string, byClient: boolean): void {
    if (!this.#context.events.isHeard) return;
    this.#context.events.emit('consumer.deleted', [
      text('consumer_tag', consumerTag),
      ...this.#at(queue),
      text('user_who_performed_action', byClient ? this.#context.user.name : BROKER),
    ]);
  }

  #at(queue: string): EventHeader[] {
    const { vhost } = this.#context;
    return [text('channel', this.#name), text('queue', queue), text('vhost', vhost.name)];
  }

  get #name(): string {
    return `${this.#context.endpoints.name} (${this.#number})`;
  }
}
