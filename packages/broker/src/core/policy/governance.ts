import type { Exchange } from '../exchange/exchange.js';
import type { Queue } from '../queue/queue.js';
import { type Governed, Policies, type PolicyChanged, type QueueType } from './policies.js';
import type { Policy, PolicyKind } from './policy.js';

/** The policies that govern a queue or an exchange. */
export interface Governing {
  readonly policy: Policy | undefined;
  readonly operatorPolicy: Policy | undefined;
}

const UNGOVERNED: Governing = { policy: undefined, operatorPolicy: undefined };

/** The policies of a virtual host, and what each queue and exchange is governed by. */
export class Governance {
  readonly policies: Policies;
  readonly operatorPolicies: Policies;
  readonly #governing = new WeakMap<Queue | Exchange, Governing>();

  /** `changed` is told of each policy that comes, changes or goes; it asks {@link govern} anew. */
  constructor(changed: PolicyChanged) {
    this.policies = new Policies('policy', changed);
    this.operatorPolicies = new Policies('operator_policy', changed);
  }

  listOf(kind: PolicyKind): Policies {
    return kind === 'policy' ? this.policies : this.operatorPolicies;
  }

  /** What something is governed by, as {@link govern} found it last. */
  of(thing: Queue | Exchange): Governing {
    return this.#governing.get(thing) ?? UNGOVERNED;
  }

  /** Finds what governs something; undefined if that is the same as before. */
  govern(thing: Queue | Exchange): Governing | undefined {
    const governed = governedOf(thing);
    const policy = this.policies.match(governed);
    const operatorPolicy = this.operatorPolicies.match(governed);
    const before = this.of(thing);
    if (policy === before.policy && operatorPolicy === before.operatorPolicy) return undefined;
    const governing = { policy, operatorPolicy };
    this.#governing.set(thing, governing);
    return governing;
  }
}

function governedOf(thing: Queue | Exchange): Governed {
  const { kind, name } = thing;
  return kind === 'exchange' ? { kind, name } : { kind, name, type: queueTypeOf(thing) };
}

function queueTypeOf(queue: Queue): QueueType {
  const type = queue.spec.arguments.get('x-queue-type');
  if (type?.type !== 'S') return 'classic';
  return type.value === 'quorum' || type.value === 'stream' ? type.value : 'classic';
}
