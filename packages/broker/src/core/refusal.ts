/** Why the broker refuses what was asked; a front end turns it into its protocol's answer. */
export type RefusalReason =
  | 'not-found'
  | 'access-refused'
  | 'resource-locked'
  | 'precondition-failed'
  | 'not-allowed'
  | 'not-implemented';

/**
 * A request that cannot be granted, in RabbitMQ's words. Nothing has been changed when it is
 * thrown. The text is a wire string, without the protocol's code in front.
 */
export class Refusal extends Error {
  override name = 'Refusal';
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, text: string) {
    super(text);
    this.reason = reason;
  }
}

/** Names a thing as RabbitMQ's error texts do: `queue 'q' in vhost '/'`. */
export function nameOf(kind: 'queue' | 'exchange', name: string, vhost: string): string {
  return `${kind} '${name}' in vhost '${vhost}'`;
}

/** The refusal that follows from asking for something that is not there. */
export function notFound(kind: 'queue' | 'exchange', name: string, vhost: string): Refusal {
  return new Refusal('not-found', `no ${nameOf(kind, name, vhost)}`);
}

/** Refuses names that only the broker itself may give. */
export function checkNotReserved(kind: 'queue' | 'exchange', name: string): void {
  if (!name.startsWith('amq.')) return;
  throw new Refusal('access-refused', `${kind} name '${name}' contains reserved prefix 'amq.*'`);
}

/** RabbitMQ drops carriage returns and line feeds from the names it declares and looks up. */
export function stripLineEnds(name: string): string {
  return name.includes('\n') || name.includes('\r') ? name.replaceAll(/[\r\n]/g, '') : name;
}
