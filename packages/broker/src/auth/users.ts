import { timingSafeEqual } from 'node:crypto';

/** A user who has proved who they are. */
export interface User {
  readonly name: string;
}

/** Why somebody is not let in, for the log; a peer is told as little as RabbitMQ tells. */
export type LoginFailure = 'invalid credentials' | 'only from loopback';

/** Decides who may connect. */
export interface Authenticator {
  /** `isLoopback`: whether the peer is on this machine. */
  login(user: string, password: string, isLoopback: boolean): User | LoginFailure;
}

/** The one user every new broker has, as in RabbitMQ: let in from this machine only. */
export class GuestOnly implements Authenticator {
  login(user: string, password: string, isLoopback: boolean): User | LoginFailure {
    if (user !== 'guest' || !isSame(password, 'guest')) return 'invalid credentials';
    return isLoopback ? { name: user } : 'only from loopback';
  }
}

/** Compares in a time that does not tell how much of the password was right. */
function isSame(given: string, expected: string): boolean {
  const a = Buffer.from(given, 'latin1');
  const b = Buffer.from(expected, 'latin1');
  return a.length === b.length && timingSafeEqual(a, b);
}
