import type { Exchange } from '../exchange/exchange.js';
import type { Binding } from '../exchange/router.js';
import type { Policy, PolicyKind } from '../policy/policy.js';
import type { Actor, EventHeader, EventSink } from '../ports.js';
import { queueType } from '../queue/arguments.js';
import type { Queue } from '../queue/queue.js';
import { flag, json, number, terms, text } from './event-headers.js';
import type { Audited, Reporting } from './reporting.js';

/** Stands for the broker itself where RabbitMQ names the user who did something. */
const BROKER = 'rmq-internal';

/**
 * Reports what happens to the topology of a virtual host, with the headers that RabbitMQ gives such
 * events. Without somebody to hear it, each costs one test.
 */
export class TopologyEvents {
  readonly #sink: EventSink;
  readonly #audited: Audited;
  readonly #vhost: string;

  constructor({ events, audited }: Reporting, vhost: string) {
    this.#sink = events;
    this.#audited = audited;
    this.#vhost = vhost;
  }

  exchangeCreated({ spec, policy }: Exchange, actor?: Actor): void {
    this.#note('exchange declared', actor, { exchange: spec.name });
    if (!this.#sink.isHeard) return;
    this.#emit('exchange.created', actor, [
      text('name', spec.name),
      text('type', spec.type),
      flag('durable', spec.durable),
      flag('auto_delete', spec.autoDelete),
      flag('internal', spec.internal),
      terms('arguments', spec.arguments),
      text('policy', policy === undefined ? '' : policy.name),
    ]);
  }

  exchangeDeleted({ name }: Exchange, actor?: Actor): void {
    this.#note('exchange deleted', actor, { exchange: name });
    if (this.#sink.isHeard) this.#emit('exchange.deleted', actor, [text('name', name)]);
  }

  queueCreated({ spec }: Queue, actor?: Actor): void {
    this.#note('queue declared', actor, { queue: spec.name });
    if (!this.#sink.isHeard) return;
    this.#emit('queue.created', actor, [
      text('name', spec.name),
      text('type', queueType(spec.arguments)),
      flag('durable', spec.durable),
      flag('auto_delete', spec.autoDelete),
      terms('arguments', spec.arguments),
      text('owner_pid', spec.owner?.name ?? ''),
      flag('exclusive', spec.owner !== undefined),
    ]);
  }

  queueDeleted({ name, spec }: Queue, actor?: Actor): void {
    this.#note('queue deleted', actor, { queue: name });
    if (!this.#sink.isHeard) return;
    this.#emit('queue.deleted', actor, [
      text('name', name),
      text('type', queueType(spec.arguments)),
    ]);
  }

  bound(binding: Binding, actor?: Actor): void {
    if (this.#sink.isHeard) this.#emit('binding.created', actor, bindingHeaders(binding));
  }

  unbound(binding: Binding, actor?: Actor): void {
    if (this.#sink.isHeard) this.#emit('binding.deleted', actor, bindingHeaders(binding));
  }

  policyChanged(kind: PolicyKind, name: string, policy: Policy | undefined): void {
    if (!this.#sink.isHeard) return;
    const cleared = kind === 'policy' ? 'policy.cleared' : 'operator.policy.cleared';
    const key = policy === undefined ? cleared : 'policy.set';
    this.#emit(key, undefined, [text('name', name), ...policyHeaders(policy)]);
  }

  /** Another policy governs a queue, or the one that does has changed. */
  queueGoverned({ name, spec }: Queue, policy: Policy | undefined): void {
    if (!this.#sink.isHeard) return;
    const key = policy === undefined ? 'queue.policy.cleared' : 'queue.policy.updated';
    const headers = [text('name', name), text('type', queueType(spec.arguments))];
    this.#emit(key, undefined, [...headers, ...policyHeaders(policy)]);
  }

  #note(what: string, actor: Actor | undefined, thing: Readonly<Record<string, string>>): void {
    this.#audited(what, { ...thing, vhost: this.#vhost, user: actor?.user ?? BROKER });
  }

  #emit(key: string, actor: Actor | undefined, headers: readonly EventHeader[]): void {
    this.#sink.emit(key, [
      ...headers,
      text('vhost', this.#vhost),
      text('user_who_performed_action', actor?.user ?? BROKER),
    ]);
  }
}

function policyHeaders(policy: Policy | undefined): EventHeader[] {
  if (policy === undefined) return [];
  return [
    text('pattern', policy.pattern),
    json('definition', policy.definition),
    number('priority', policy.priority),
    text('apply-to', policy.applyTo),
  ];
}

function bindingHeaders({ source, destination, routingKey, ...rest }: Binding): EventHeader[] {
  return [
    text('source_name', source.name),
    text('source_kind', 'exchange'),
    text('destination_name', destination.name),
    text('destination_kind', destination.kind),
    text('routing_key', routingKey),
    terms('arguments', rest.arguments),
  ];
}
