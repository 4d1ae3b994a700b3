/** A message's content, as far as it is looked at here. */
interface WithProperties {
  readonly properties: Readonly<Record<string, unknown>>;
}

/** One entry of `x-death`, its numbers and texts without their wire types. */
export interface DeathEntry {
  readonly queue: string;
  readonly reason: string;
  readonly count: number;
  readonly exchange: string;
  readonly 'routing-keys': readonly string[];
  readonly 'original-expiration'?: string;
  /** Seconds since 1970. */
  readonly time: number;
}

export function headersOf(message: WithProperties): Record<string, unknown> {
  return (message.properties.headers ?? {}) as Record<string, unknown>; // a table
}

/** What is told of a message's deaths, the newest first. */
export function deathsOf(message: WithProperties): DeathEntry[] {
  return plain(headersOf(message)['x-death'] ?? []) as DeathEntry[]; // RabbitMQ's format
}

/** Deaths as queue, reason and count: enough to tell the way a message came. */
export function wayOf(message: WithProperties): string[] {
  return deathsOf(message).map(({ queue, reason, count }) => `${queue} ${reason} ${count}`);
}

/** Values without their wire types. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  const typed = value as { '!'?: string; value?: unknown }; // amqplib's form of a typed value
  if (typed['!'] !== undefined) return plain(typed.value);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}
