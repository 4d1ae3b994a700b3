import type { Pattern } from '../../base/pattern.js';
import type {
  Policy,
  PolicyDefinition,
  PolicyKind,
  PolicyList,
  PolicyRequest,
  PolicyTarget,
} from './policy.js';
import { checkPolicy } from './policy-check.js';

/** What a policy may govern, by its name as a wire string. */
export type Governed =
  | { readonly kind: 'exchange'; readonly name: string }
  | { readonly kind: 'queue'; readonly name: string; readonly type: QueueType };

export type QueueType = 'classic' | 'quorum' | 'stream';

/** Told what has become of a policy; `policy` is undefined when it has been removed. */
export type PolicyChanged = (kind: PolicyKind, name: string, policy: Policy | undefined) => void;

interface Entry {
  readonly policy: Policy;
  readonly pattern: Pattern;
}

/** Keys that only streams know; RabbitMQ keeps a policy with one of them from other queues. */
const STREAM_KEYS = ['max-age', 'stream-max-segment-size-bytes', 'stream-filter-size-bytes'];

/** The policies of one kind in a virtual host. */
export class Policies implements PolicyList {
  readonly #kind: PolicyKind;
  readonly #changed: PolicyChanged;
  /** In the order in which they are asked: by priority, highest first, then by name. */
  #entries: readonly Entry[] = [];

  constructor(kind: PolicyKind, changed: PolicyChanged) {
    this.#kind = kind;
    this.#changed = changed;
  }

  set(request: PolicyRequest): void {
    const pattern = checkPolicy(this.#kind, request);
    const { name, applyTo = 'all', definition, priority = 0 } = request;
    const policy = { name, pattern: request.pattern, applyTo, definition, priority };
    const others = this.#entries.filter((each) => each.policy.name !== name);
    // What the caller does with its own object later changes nothing.
    const entry = { policy: structuredClone(policy), pattern };
    this.#entries = [...others, entry].sort((a, b) => compare(a.policy, b.policy));
    this.#changed(this.#kind, name, entry.policy);
  }

  delete(name: string): boolean {
    if (this.get(name) === undefined) return false;
    this.#entries = this.#entries.filter((each) => each.policy.name !== name);
    this.#changed(this.#kind, name, undefined);
    return true;
  }

  get(name: string): Policy | undefined {
    return this.#entries.find((each) => each.policy.name === name)?.policy;
  }

  list(): readonly Policy[] {
    const policies = this.#entries.map((each) => each.policy);
    return policies.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The policy that governs something, if one does. */
  match(governed: Governed): Policy | undefined {
    for (const { policy, pattern } of this.#entries) {
      if (isFor(policy, governed) && pattern.matches(governed.name)) return policy;
    }
    return undefined;
  }
}

function compare(a: Policy, b: Policy): number {
  if (a.priority !== b.priority) return b.priority - a.priority;
  return a.name < b.name ? -1 : 1;
}

/** Targets by the type of queue they stand for, besides `all` and `queues`. */
const TARGETS: Readonly<Record<QueueType, PolicyTarget>> = {
  classic: 'classic_queues',
  quorum: 'quorum_queues',
  stream: 'streams',
};

function isFor(policy: Policy, governed: Governed): boolean {
  const { applyTo, definition } = policy;
  if (governed.kind === 'exchange') return applyTo === 'all' || applyTo === 'exchanges';
  const { type } = governed;
  if (applyTo !== 'all' && applyTo !== 'queues' && applyTo !== TARGETS[type]) return false;
  return type === 'stream' || !STREAM_KEYS.some((key) => Object.hasOwn(definition, key));
}

/** Settings of which the operator's value goes before the policy's; of the others the smaller. */
const OPERATOR_FIRST: ReadonlySet<string> = new Set(['overflow', 'queue-version']);

/** Of which the larger value holds. */
const LARGER: ReadonlySet<string> = new Set(['delayed-retry-min']);

/**
 * What a policy and an operator policy come to together, as RabbitMQ merges them: of a number that
 * both set the smaller holds. Undefined if there is neither.
 */
export function mergeDefinitions(
  policy: PolicyDefinition | undefined,
  operator: PolicyDefinition | undefined,
): PolicyDefinition | undefined {
  if (policy === undefined || operator === undefined) return policy ?? operator;
  const merged: Record<string, unknown> = { ...policy };
  for (const [key, limit] of Object.entries(operator)) {
    const value = merged[key];
    const isNumeric = typeof value === 'number' && typeof limit === 'number';
    const chosen = LARGER.has(key) ? Math.max : Math.min;
    merged[key] = isNumeric && !OPERATOR_FIRST.has(key) ? chosen(value, limit) : limit;
  }
  return merged;
}
