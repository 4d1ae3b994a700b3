import type { PolicyList } from './core/policy/policy.js';

/** What a program that embeds the broker can set in a virtual host while it runs. */
export interface VirtualHostControl {
  readonly name: string;
  /**
   * Optional arguments for queues and exchanges by name, as RabbitMQ's policies. They are applied at
   * once, and survive the broker if its queues do.
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
}
