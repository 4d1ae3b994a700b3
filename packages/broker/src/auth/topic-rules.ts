import type { TopicPermissionRecord } from './access-change.js';
import { Rule } from './rule.js';

/** The two rules of a topic permission. */
export interface TopicRulePair {
  readonly write: Rule;
  readonly read: Rule;
}

/** Characters that mean something in a regular expression. */
const SYNTAX = /[\\^$.[\]|()?*+{}#\s-]/g;

/** A topic permission, and the rules that come of it. */
export class TopicRules {
  readonly record: TopicPermissionRecord;
  /** Of clients that have no id. */
  readonly #common: TopicRulePair;
  readonly #namesClient: boolean;

  /** Throws a Refusal if one of the two is no regular expression. */
  constructor(record: TopicPermissionRecord) {
    this.record = record;
    this.#common = this.#expand(undefined);
    this.#namesClient = `${record.write}${record.read}`.includes('{client_id}');
  }

  /** The rules for a client with that id; to be kept by who asks. */
  of(clientId: string | undefined): TopicRulePair {
    return clientId === undefined || !this.#namesClient ? this.#common : this.#expand(clientId);
  }

  /**
   * Names stand for themselves: a user called `.*` gets no more than others. (RabbitMQ reads them
   * as part of the expression.)
   */
  #expand(clientId: string | undefined): TopicRulePair {
    const { user, vhost, write, read } = this.record;
    const values: Readonly<Record<string, string | undefined>> = {
      '{username}': user,
      '{vhost}': vhost,
      '{client_id}': clientId,
    };
    const expand = (source: string): Rule =>
      new Rule(
        source.replaceAll(/\{(?:username|vhost|client_id)\}/g, (name) =>
          // A client without an id is no client at all: nothing matches.
          (values[name] ?? name).replaceAll(SYNTAX, '\\$&'),
        ),
      );
    return { write: expand(write), read: expand(read) };
  }
}
