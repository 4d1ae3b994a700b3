import { channelClose, connectionClose, type ExpectedClose } from '../wire/raw-connection.js';

/**
 * Where Leveret deliberately does not do what RabbitMQ 3.10.8 does. The tests hold each broker to
 * its own side; `DIFFERENCES.md` says the same in prose.
 */
export interface Difference<T> {
  readonly about: string;
  readonly reason: string;
  /** What RabbitMQ 3.10.8 was measured to do. */
  readonly rabbitmq: T;
  readonly leveret: T;
}

export function unknownExchangeType(type: string): Difference<ExpectedClose> {
  return {
    about: 'exchange.declare with an unknown type',
    reason: 'RabbitMQ 3.13.7 made it a channel exception: a typo need not cost the connection',
    rabbitmq: connectionClose(503, `unknown exchange type '${type}'`, 'exchange.declare'),
    leveret: channelClose(406, `unknown exchange type '${type}'`, 'exchange.declare'),
  };
}

export const undecodableProperties: Difference<ExpectedClose> = {
  about: 'a content header whose properties cannot be decoded',
  reason: 'a mistake of the client is a frame error, not an internal one',
  rabbitmq: connectionClose(541, ''),
  leveret: connectionClose(501, /^cannot decode <</, 'basic.publish'),
};

export const doubleEqualsInteger: Difference<readonly string[]> = {
  about: 'a headers binding with a double, and a header with an integer of the same value',
  reason: 'RabbitMQ 3.13.7 compares values without converting numbers; 3.10.8 converts them',
  rabbitmq: ['both', 'onlyA', 'more'],
  leveret: [],
};

/** Whether a classic queue takes an argument that RabbitMQ keeps for quorum or stream queues. */
export function argumentOfAnotherKind(argument: string): Difference<'accepted' | 'refused'> {
  return {
    about: `${argument} on a classic queue`,
    reason:
      'what later versions and other kinds know is accepted on every kind; x-max-age is for streams alone',
    rabbitmq: 'refused',
    leveret: argument === 'x-max-age' ? 'refused' : 'accepted',
  };
}

export const mandatoryReply: Difference<'delivered and returned' | 'delivered'> = {
  about: 'a mandatory publish to a direct reply-to address that lives',
  reason: 'what reached its reader was routed; RabbitMQ 3 does not see reply addresses as routes',
  rabbitmq: 'delivered and returned',
  leveret: 'delivered',
};

export const passiveReplyAddress: Difference<ExpectedClose | null> = {
  about: 'passive queue.declare of a direct reply-to address that lives',
  reason: 'it is how a server asks whether the requester is still there; 3.10.8 fails inside',
  rabbitmq: connectionClose(541, ''),
  leveret: null,
};

export const undecodableTable: Difference<ExpectedClose | null> = {
  about: 'a method with a field table that cannot be decoded',
  reason: 'RabbitMQ fails inside and drops the socket; the client deserves to be told',
  rabbitmq: null,
  leveret: connectionClose(501, /./, 'queue.declare'),
};

export const bodyAboveTheLimit: Difference<'at once' | 'after the body'> = {
  about: 'a content header that announces a body above the largest message size',
  reason: 'nobody is helped by 128 MiB being sent first',
  rabbitmq: 'after the body',
  leveret: 'at once',
};

export const bodyLongerThanAnnounced: Difference<ExpectedClose | null> = {
  about: 'more bytes of body than the content header announced',
  reason: 'RabbitMQ waits for ever; the connection cannot be understood any more, so it is closed',
  rabbitmq: null,
  leveret: connectionClose(
    501,
    'content body is longer than its header announced',
    'basic.publish',
  ),
};

export const deepTable: Difference<'accepted' | 'refused'> = {
  about: 'a field table nested 1,000 levels deep',
  reason: 'no table in use is that deep, and a broker must survive any; 20,000 levels end RabbitMQ',
  rabbitmq: 'accepted',
  leveret: 'refused',
};

export const shortBehindLong: Difference<number> = {
  about: 'messages that are due to expire behind one that is not',
  reason: 'messages expire when they are due, wherever they are; RabbitMQ looks at the head alone',
  rabbitmq: 3,
  leveret: 1,
};

/** What is told of a message's last death, besides its first. */
export function lastDeath(
  exchange: string,
  queue: string,
  reason: string,
): Difference<Readonly<Record<string, string>>> {
  return {
    about: 'the headers x-last-death-* of a dead letter',
    reason: 'RabbitMQ has them from 3.13 on',
    rabbitmq: {},
    leveret: {
      'x-last-death-exchange': exchange,
      'x-last-death-queue': queue,
      'x-last-death-reason': reason,
    },
  };
}

export const refusedCommit: Difference<'kept' | 'dropped'> = {
  about: 'what a commit publishes to other queues when one queue refuses its part',
  reason: 'a transaction is atomic across queues; RabbitMQ promises it for one queue only',
  rabbitmq: 'kept',
  leveret: 'dropped',
};

export const hashArgumentOfWrongType: Difference<ExpectedClose> = {
  about: 'x-consistent-hash declared with a hash-header that is no string',
  reason: 'a mistake of the client is told on its channel; RabbitMQ fails inside',
  rabbitmq: connectionClose(541, ''),
  leveret: channelClose(
    406,
    "Invalid argument 5, 'hash-header' must be a string",
    'exchange.declare',
  ),
};

export const keysMovedByARemoval: Difference<'only its own' | 'others too'> = {
  about: 'which keys go elsewhere when a binding of an x-consistent-hash exchange goes',
  reason: 'consistent hashing is for keys that stay; RabbitMQ renumbers the bindings behind it',
  rabbitmq: 'others too',
  leveret: 'only its own',
};

/** The queues that a trace says a message for a queue that is not there has gone to. */
export function tracedRouteOfMissingQueue(queue: string): Difference<readonly string[]> {
  return {
    about: 'routed_queues in the trace of a publish by the default exchange to a missing queue',
    reason: 'it went nowhere',
    rabbitmq: [queue],
    leveret: [],
  };
}

/** What is traced besides publishes and deliveries, of a message in that queue. */
export function tracedSettlements(queue: string): Difference<readonly string[]> {
  return {
    about: 'traces of what becomes of deliveries',
    reason: 'a trace that ends at the delivery does not tell whether a message was lost',
    rabbitmq: [],
    leveret: [`nack.${queue}`, `ack.${queue}`],
  };
}

/** What is traced of the deaths of messages in that queue: one expires, one is rejected. */
export function tracedDeaths(queue: string): Difference<readonly string[]> {
  return {
    about: 'traces of messages that expire and of dead letters',
    reason: 'a message that is neither delivered nor settled would be gone without a trace',
    rabbitmq: [],
    leveret: [`expire.${queue}`, `dead-letter.${queue}`, `dead-letter.${queue}`],
  };
}

/** The text that refuses a policy for something else than queues and exchanges. */
export const unknownPolicyTarget: Difference<string> = {
  about: 'a policy to be applied to what there is not',
  reason: 'RabbitMQ knows types of queues there from 3.12 on',
  rabbitmq: "apply-to 'zzz' unrecognised; should be 'queues', 'exchanges' or 'all'",
  leveret:
    "apply-to 'zzz' unrecognised; should be one of: 'queues', 'classic_queues', " +
    " 'quorum_queues', 'streams', 'exchanges', or 'all'",
};

export const historyThroughAnExchange: Difference<readonly string[]> = {
  about: 'what an exchange that is bound to an x-recent-history exchange is given of its history',
  reason: 'messages keep their order; RabbitMQ gives it to queues in order, to exchanges backwards',
  rabbitmq: ['2', '1', '0'],
  leveret: ['0', '1', '2'],
};

export const countOfFirstGet: Difference<number | undefined> = {
  about: 'x-delivery-count of a message of a quorum queue that is got for the first time',
  reason: 'RabbitMQ 3.13.7 has no such header until a message has come back',
  rabbitmq: 0,
  leveret: undefined,
};

/** What becomes of declaring a stream; null: it is declared. */
export function streamQueue(queue: string): Difference<ExpectedClose | null> {
  return {
    about: 'queue.declare with the x-queue-type stream',
    reason: 'there are none yet, and a queue of another kind would not do what one expects of it',
    rabbitmq: null,
    leveret: channelClose(
      406,
      `invalid arg 'x-queue-type' for queue '${queue}' in vhost '/': ` +
        `"unsupported queue type 'stream'"`,
      'queue.declare',
    ),
  };
}

/** What is said to whom something is not permitted. */
export function accessRefused(
  permission: string,
  kind: 'queue' | 'exchange',
  name: string,
  vhost: string,
  user: string,
): Difference<string> {
  const text = `access to ${kind} '${name}' in vhost '${vhost}' refused for user '${user}'`;
  return {
    about: 'the text of a refusal for want of a permission',
    reason: 'RabbitMQ says which permission is missing from 3.13 on',
    rabbitmq: text,
    leveret: `${permission} ${text}`,
  };
}

/** What is said of a routing key or binding key that is not permitted. */
export function topicRefused(
  permission: 'write' | 'read',
  key: string,
  exchange: string,
  vhost: string,
  user: string,
): Difference<string> {
  const where = `exchange '${exchange}' in vhost '${vhost}'`;
  const text = `access to topic '${key}' in ${where} refused for user '${user}'`;
  return {
    about: 'the text of a refusal for want of a topic permission',
    reason: 'RabbitMQ says which permission is missing from 3.13 on',
    rabbitmq: text,
    leveret: `${permission} ${text}`,
  };
}

export const topicOfCarbonCopy: Difference<'published' | 'refused'> = {
  about: 'a key in CC or BCC that topic permissions do not allow as a routing key',
  reason: 'it leads to the same queues; RabbitMQ 4 looks at it, too',
  rabbitmq: 'published',
  leveret: 'refused',
};

/** What is said to a user with too many channels. */
export function userChannelLimit(user: string, limit: number): Difference<string | RegExp> {
  const text = (name: string): string =>
    `number of channels opened for user '${name}' has reached ` +
    `the maximum allowed user limit of (${limit})`;
  return {
    about: 'the text about a user who has too many channels',
    reason: 'RabbitMQ puts the name of its node where that of the user belongs',
    rabbitmq: new RegExp(`^${text("[^']+").replaceAll(/[()]/g, '\\$&')}$`),
    leveret: text(user),
  };
}

/** What an event about a virtual host's limits says of where they are. */
export function vhostOfLimits(vhost: string): Difference<Readonly<Record<string, string>>> {
  return {
    about: 'the header vhost of the event vhost.limits.set',
    reason: 'RabbitMQ has it from 3.11 on',
    rabbitmq: {},
    leveret: { vhost },
  };
}

/** What the event user.authentication.failure says of the reason. */
export function loginError(text: string): Difference<string | readonly number[]> {
  return {
    about: 'the header error of the event user.authentication.failure',
    reason: 'RabbitMQ sends a list of the characters’ codes, as Erlang strings are',
    rabbitmq: [...text].map((character) => character.charCodeAt(0)),
    leveret: text,
  };
}

export const userOfAnAddress: Difference<string> = {
  about: 'the user whom EXTERNAL finds in an alternative name that is the address 10.0.0.1',
  reason: 'nobody can make a user whose name is the octets of an address',
  rabbitmq: '\u000a\u0000\u0000\u0001',
  leveret: '10.0.0.1',
};

/** What answers first. RabbitMQ's side is read from the plugin's source. */
export const mandatoryDelay: Difference<string> = {
  about: 'a mandatory publish that is delayed, on a channel with confirms',
  reason: 'it went where it was to go: a return says that it did not',
  rabbitmq: 'basic.return',
  leveret: 'basic.ack',
};

/** What becomes of the message. RabbitMQ's side is read from the plugin's source. */
export const malformedDelay: Difference<string> = {
  about: 'a message whose x-delay is no number',
  reason: 'nobody who asks for a delay means "now"',
  rabbitmq: 'delivered',
  leveret: 'refused',
};
