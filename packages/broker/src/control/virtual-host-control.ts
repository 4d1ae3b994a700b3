import { fromWire, toWire } from '@leveret/amqp';
import type { DeduplicationCount } from '../core/deduplication/deduplication.js';
import type { Policy, PolicyList, PolicyRequest } from '../core/policy/policy.js';
import type { VirtualHost } from '../core/virtual-host.js';
import { type DelayedControl, TextDelays } from './delayed-control.js';
import { convert, inText } from './text.js';

/** What a program that embeds the broker can set in a virtual host while it runs. */
export interface VirtualHostControl {
  readonly name: string;
  /**
   * Optional arguments for queues and exchanges by name, as RabbitMQ's policies. They are applied
   * at once, and survive the broker if its queues do.
   *
   * ```ts
   * broker.vhost('/').policies.set({
   *   name: 'events',
   *   pattern: '^events\\.',
   *   applyTo: 'queues',
   *   definition: { 'max-length': 100_000, overflow: 'reject-publish' },
   * });
   * ```
   */
  readonly policies: PolicyList;
  /**
   * Limits to what arguments and policies may ask for: of each number the smallest holds. They know
   * fewer keys than policies do.
   */
  readonly operatorPolicies: PolicyList;
  /**
   * Whether the firehose is on: whatever is published, delivered or settled is published once more,
   * to the exchange `amq.rabbitmq.trace`, with a routing key such as `publish.orders` or
   * `deliver.jobs`. Off unless it is turned on; not remembered when the broker stops.
   */
  tracing: boolean;
  /** The queues and exchanges that keep duplicates out, and how many they have kept out. */
  deduplication(): readonly DeduplicationCount[];
  /** The messages that exchanges keep until they are due: to look at, to drop, to deliver now. */
  readonly delayed: DelayedControl;
}

/** The control of a virtual host: here text becomes wire strings, and the reverse. */
export function controlOf(vhost: VirtualHost): VirtualHostControl {
  return {
    name: fromWire(vhost.name),
    policies: new TextPolicies(vhost.policies),
    operatorPolicies: new TextPolicies(vhost.operatorPolicies),
    delayed: new TextDelays(vhost),
    get tracing() {
      return vhost.tracing;
    },
    set tracing(isOn) {
      vhost.tracing = isOn;
    },
    deduplication: () => {
      const { deduplication, queues, exchanges } = vhost;
      const counts = [...deduplication.list(queues.all(), exchanges.all())];
      return counts.map((count) => ({ ...count, name: fromWire(count.name) }));
    },
  };
}

/** Policies in text. */
class TextPolicies implements PolicyList {
  readonly #policies: PolicyList;

  constructor(policies: PolicyList) {
    this.#policies = policies;
  }

  set(request: PolicyRequest): void {
    inText(() => this.#policies.set(convert(request, toWire)));
  }

  delete(name: string): boolean {
    return this.#policies.delete(toWire(name));
  }

  get(name: string): Policy | undefined {
    const policy = this.#policies.get(toWire(name));
    return policy && convert(policy, fromWire);
  }

  list(): readonly Policy[] {
    return this.#policies.list().map((policy) => convert(policy, fromWire));
  }
}
