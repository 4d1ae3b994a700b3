import type { PartVerdict, Verdict } from '../exchange/verdict.js';

/** What would become of a message, and why. */
export interface Explanation {
  /**
   * `routed`: at least one queue would be offered it. `duplicate`: an exchange holds it back.
   * `reply`: it answers a request, by direct reply-to. `refused`: nobody may publish there.
   */
  readonly outcome: 'routed' | 'unroutable' | 'duplicate' | 'reply' | 'refused';
  /** Why a publish would be refused, in the words of the error. */
  readonly refusal: string | undefined;
  readonly exchange: string;
  /** The routing key, then those in the headers CC and BCC. */
  readonly routingKeys: readonly string[];
  /** The exchanges it would come by, in order. */
  readonly exchanges: readonly ExchangeExplanation[];
  /** The queues it would be offered, in order. */
  readonly queues: readonly QueueExplanation[];
}

/** What an exchange would do with a message. */
export interface ExchangeExplanation {
  readonly name: string;
  readonly type: string;
  /** The exchange that it would come from, and why; undefined for the one it is published to. */
  readonly from: { readonly exchange: string; readonly as: 'binding' | 'alternate' } | undefined;
  /** Name of the policy that governs it. */
  readonly policy: string | undefined;
  /** Whether it keeps the message until it is due, and does then what is said here. */
  readonly isDelayed: boolean;
  /** Whether it holds the message back, as a duplicate of one before. */
  readonly isDuplicate: boolean;
  /** Those that match first, then those that nearly do. Of a duplicate none has been asked. */
  readonly bindings: readonly BindingExplanation[];
  /** Where what matches no binding goes, and whether this message does. */
  readonly alternate:
    | { readonly exchange: string; readonly isThere: boolean; readonly isUsed: boolean }
    | undefined;
}

/** Whether a message goes by a binding, and why. */
export interface BindingExplanation extends Verdict {
  /** Name of the exchange it is a binding of. */
  readonly exchange: string;
  readonly destinationKind: 'queue' | 'exchange';
  readonly destination: string;
  /** The binding key. */
  readonly bindingKey: string;
  /** The routing key that matches, or is nearest. */
  readonly routingKey: string;
}

/** What a queue would do with a message. */
export interface QueueExplanation {
  readonly name: string;
  /**
   * `accept`: takes it. `drop-head`: takes it, and drops its oldest. `reject`: is full, and refuses
   * it. `keep-out`: has it already, and takes no duplicate.
   */
  readonly action: 'accept' | 'drop-head' | 'reject' | 'keep-out';
  /** A sentence without its end. */
  readonly why: string;
  /** False if an exchange chooses by chance, and may choose another. */
  readonly isCertain: boolean;
  /** What comes out of it goes, if something does: this message, or the one that is dropped. */
  readonly deadLetter: DeadLetterExplanation | undefined;
  /** When it would expire, in milliseconds from now; undefined for never. */
  readonly expiresInMilliseconds: number | undefined;
  /** Messages before it, and who waits for them. */
  readonly ready: number;
  readonly consumers: number;
  /** Whether it survives the broker there. */
  readonly survives: boolean;
  /** Names of the policies that govern it. */
  readonly policy: string | undefined;
  readonly operatorPolicy: string | undefined;
}

/** Where a queue's dead go. */
export interface DeadLetterExplanation {
  readonly exchange: string;
  readonly routingKey: string;
  /** Names of the queues that get there; none if there is no such exchange. */
  readonly queues: readonly string[];
}

/** A message that reached no queue, and was not to be held back. */
export interface UnroutableMessage {
  readonly exchange: string;
  readonly routingKey: string;
  /** When it was published last, in milliseconds since 1970. */
  readonly lastAt: number;
  /** How often, since it is remembered. */
  readonly count: number;
  /** The bindings there are now that are nearest to matching it, the nearest first. */
  readonly nearMisses: readonly BindingExplanation[];
}

export type { PartVerdict, Verdict };
