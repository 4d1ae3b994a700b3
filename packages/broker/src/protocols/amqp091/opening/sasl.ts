import { DecodeError, decodeTable } from '@leveret/amqp';
import type { Unproved } from '../../../core/ports.js';

/** Who somebody says they are, and how they want to prove it. */
export interface Credentials {
  readonly user: string;
  /** Undefined if it is not by a password. */
  readonly password: string | undefined;
}

/** Who a peer may be taken for without a password. */
export interface Passwordless {
  /** The user for whoever asks for ANONYMOUS. */
  readonly anonymousUser: string | undefined;
  /** The user that the peer has proved to be by its stream: EXTERNAL. Undefined if it cannot. */
  readonly externalUser: string | Unproved | undefined;
}

/** The mechanisms offered in connection.start, in RabbitMQ's order. */
export function mechanismsFor({ anonymousUser, externalUser }: Passwordless): string {
  const mechanisms = ['AMQPLAIN', 'PLAIN'];
  if (anonymousUser !== undefined) mechanisms.unshift('ANONYMOUS');
  if (externalUser !== undefined) mechanisms.unshift('EXTERNAL');
  return mechanisms.join(' ');
}

/** Reads a SASL response; undefined if the mechanism is not offered or it makes no sense. */
export function readResponse(
  mechanism: string,
  response: string,
  { anonymousUser, externalUser }: Passwordless,
): Credentials | Unproved | undefined {
  switch (mechanism) {
    case 'PLAIN':
      return readPlain(response);
    case 'AMQPLAIN':
      return readAmqplain(response);
    case 'ANONYMOUS':
      return proved(anonymousUser);
    case 'EXTERNAL':
      return proved(externalUser);
    default:
      return undefined;
  }
}

/** Whom something other than a password has proved to be there, or why it has not. */
function proved(user: string | Unproved | undefined): Credentials | Unproved | undefined {
  return typeof user === 'string' ? { user, password: undefined } : user;
}

/**
 * RFC 4616: `authzid NUL user NUL password`; the identity to act for is ignored, as in RabbitMQ.
 */
function readPlain(response: string): Credentials | undefined {
  const [, user, password, ...rest] = response.split('\0');
  if (user === undefined || password === undefined || rest.length > 0) return undefined;
  return { user, password };
}

/** RabbitMQ's own: a field table without its length, with LOGIN and PASSWORD. */
function readAmqplain(response: string): Credentials | undefined {
  const table = Buffer.alloc(4 + response.length);
  table.writeUInt32BE(response.length);
  table.write(response, 4, 'latin1');
  try {
    const fields = decodeTable(table, 0, table.length);
    const user = fields.get('LOGIN');
    const password = fields.get('PASSWORD');
    if (user?.type !== 'S' || password?.type !== 'S') return undefined;
    return { user: user.value, password: password.value };
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
