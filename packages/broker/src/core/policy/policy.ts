/** What a policy may govern. `queues` are queues of every type. */
export const POLICY_TARGETS = [
  'all',
  'queues',
  'exchanges',
  'classic_queues',
  'quorum_queues',
  'streams',
] as const;

/** One of {@link POLICY_TARGETS}: a policy's `apply-to`. */
export type PolicyTarget = (typeof POLICY_TARGETS)[number];

/**
 * What a policy says, by the arguments' names without their `x-`: `{ 'message-ttl': 60000 }`. In
 * the core its strings are wire strings, as a policy's name and pattern are; a program that embeds
 * the broker gives and gets text.
 */
export type PolicyDefinition = Readonly<Record<string, unknown>>;

/**
 * Optional arguments for all queues and exchanges whose names match, while the broker runs and
 * whenever it was set. Of several that match the one with the highest priority governs alone; two
 * of the same priority go by name.
 */
export interface Policy {
  readonly name: string;
  /** A regular expression, found anywhere in a name: see `Pattern` for its syntax. */
  readonly pattern: string;
  /** `apply-to`. */
  readonly applyTo: PolicyTarget;
  readonly definition: PolicyDefinition;
  readonly priority: number;
}

/** A policy as it is asked for. */
export interface PolicyRequest {
  readonly name: string;
  readonly pattern: string;
  /** Default: `all`. */
  readonly applyTo?: PolicyTarget;
  readonly definition: PolicyDefinition;
  /** Default: 0. */
  readonly priority?: number;
}

/** The policies of a virtual host, or its operator policies. */
export interface PolicyList {
  /**
   * Sets a policy, or replaces the one of that name; it holds at once. Throws a Refusal with
   * RabbitMQ's text if something about it is wrong, and changes nothing then.
   */
  set(request: PolicyRequest): void;
  /** Removes a policy; false if there is none of that name. */
  delete(name: string): boolean;
  get(name: string): Policy | undefined;
  /** All of them, by name. */
  list(): readonly Policy[];
}

/** The two kinds of policy: an operator's limits what the others may set, and holds little else. */
export type PolicyKind = 'policy' | 'operator_policy';
