import type { PasswordHash } from './password-hash.js';

/** How much one user may have; what is not given, or is negative, is not limited. */
export interface UserLimits {
  readonly 'max-connections'?: number;
  /** On all connections together. */
  readonly 'max-channels'?: number;
}

/** How much a virtual host may hold; what is not given, or is negative, is not limited. */
export interface VhostLimits {
  readonly 'max-connections'?: number;
  readonly 'max-queues'?: number;
}

/** A user, with the names that RabbitMQ's definitions files give the fields. */
export interface UserRecord extends PasswordHash {
  readonly name: string;
  /** `administrator`, `monitoring`, `policymaker`, `management`, `impersonator`, or any other. */
  readonly tags: readonly string[];
  readonly limits: UserLimits;
}

/** A virtual host beside what is in it. */
export interface VhostRecord {
  readonly name: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly limits: VhostLimits;
}

/**
 * What a user may do in a virtual host: regular expressions, to be found anywhere in the names of
 * queues and exchanges. Empty ones permit nothing; the default exchange is called `amq.default`.
 */
export interface PermissionRecord {
  readonly user: string;
  readonly vhost: string;
  /** To declare and delete. */
  readonly configure: string;
  /** To publish to, or bind as a destination. */
  readonly write: string;
  /** To consume from, get, purge, or bind as a source. */
  readonly read: string;
}

/**
 * With which routing keys a user may publish to a topic exchange, and with which keys bind to it:
 * regular expressions in which `{username}`, `{vhost}` and `{client_id}` stand for what they say.
 * An exchange without one of these is not restricted.
 */
export interface TopicPermissionRecord {
  readonly user: string;
  readonly vhost: string;
  readonly exchange: string;
  readonly write: string;
  readonly read: string;
}

/**
 * A change to who may do what, for the journal to keep as JSON beside those of the topology;
 * strings are wire strings, and passwords are hashed.
 */
export type AccessChange =
  /** The broker has been given its first users and virtual hosts, and gets them no more. */
  | { readonly what: 'seeded' }
  | { readonly what: 'user'; readonly user: UserRecord }
  | { readonly what: 'user-deleted'; readonly name: string }
  | { readonly what: 'vhost'; readonly vhost: VhostRecord }
  | { readonly what: 'vhost-deleted'; readonly name: string }
  | { readonly what: 'permission'; readonly permission: PermissionRecord }
  | { readonly what: 'permission-deleted'; readonly user: string; readonly vhost: string }
  | { readonly what: 'topic-permission'; readonly permission: TopicPermissionRecord }
  | {
      readonly what: 'topic-permission-deleted';
      readonly user: string;
      readonly vhost: string;
      readonly exchange: string;
    };

/** Where changes are told of. */
export interface AccessLedger {
  record(change: AccessChange): void;
}
