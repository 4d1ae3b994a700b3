import { hash } from 'node:crypto';
import type { Clock } from '../base/clock.js';
import type { Random } from '../base/random.js';
import type { Authenticator, LoginAttempt, LoginFailure, User } from '../core/ports.js';
import type { UserRecord } from './access-change.js';
import { FailedLogins } from './failed-logins.js';
import type { OneAtATime } from './one-at-a-time.js';
import { isPassword, isSame, isSlow, type PasswordHash } from './password-hash.js';
import type { Users } from './users.js';

/** Of the key that known passwords are hashed with. */
const KEY_BYTES = 32;

/** Logins that may wait for their passwords to be hashed. */
const WAITING_MAX = 100;

/** For a user that does not exist, so that it takes as long to say so. Nobody's password. */
const DECOY: PasswordHash = {
  password_hash: Buffer.concat([Buffer.of(14, 8, 1), Buffer.alloc(48)]).toString('base64'),
  hashing_algorithm: 'leveret_password_hashing_scrypt',
};

/** A password that is being hashed, and who waits for it. */
interface Finding {
  readonly hashed: PasswordHash;
  readonly attempts: LoginAttempt[];
  readonly isRight: Promise<boolean>;
}

/**
 * Lets users in by their passwords. A password that was right is known again without hashing it,
 * until it is changed: so who has been in before is let in however many others are trying.
 */
export class Logins implements Authenticator {
  readonly #users: Users;
  readonly #hashing: OneAtATime;
  readonly #failed: FailedLogins;
  /** Users who may come from this machine only. */
  readonly #loopbackUsers: ReadonlySet<string>;
  /** Passwords that were right, hashed with a key of this process, by the user they are of. */
  readonly #known = new WeakMap<UserRecord, Buffer>();
  readonly #key: string;
  /** By user and fingerprint. */
  readonly #finding = new Map<string, Finding>();

  constructor(
    users: Users,
    hashing: OneAtATime,
    ports: { readonly clock: Clock; readonly random: Random },
    loopbackUsers: ReadonlySet<string>,
  ) {
    this.#users = users;
    this.#hashing = hashing;
    this.#failed = new FailedLogins(ports.clock);
    this.#key = ports.random.bytes(KEY_BYTES).toString('latin1');
    this.#loopbackUsers = loopbackUsers;
  }

  login(attempt: LoginAttempt): User | LoginFailure | Promise<User | LoginFailure> {
    const { user: name, password, address } = attempt;
    const user = this.#users.get(name);
    if (password === undefined) return this.#judge(attempt, user !== undefined);
    if (password === '') return this.#judge(attempt, false, 'blank password');
    if (user !== undefined && this.#isKnown(user, password)) return this.#judge(attempt, true);
    if (this.#failed.isTooMany(address)) return 'too many failed logins';
    const hashed = user ?? DECOY;
    const isRight = isSlow(hashed)
      ? this.#find(attempt, password, hashed)
      : isPassword(password, hashed);
    if (typeof isRight === 'string') return isRight;
    const judge = (right: boolean): User | LoginFailure => {
      // What was right may not be any more.
      const now = this.#users.get(name);
      if (!right || now?.password_hash !== hashed.password_hash) return this.#judge(attempt, false);
      this.#known.set(now, this.#fingerprint(password));
      return this.#judge(attempt, true);
    };
    return typeof isRight === 'boolean' ? judge(isRight) : isRight.then(judge);
  }

  /** Many may come with the same password at once, after a start say: it is hashed once for all. */
  #find(
    attempt: LoginAttempt,
    password: string,
    hashed: PasswordHash,
  ): Promise<boolean> | LoginFailure {
    const key = JSON.stringify([attempt.user, this.#fingerprint(password).toString('base64')]);
    const found = this.#finding.get(key);
    if (found?.hashed === hashed) {
      found.attempts.push(attempt);
      return found.isRight;
    }
    if (this.#hashing.waiting >= WAITING_MAX) return 'too many logins at a time';
    const attempts = [attempt];
    const isRight = this.#hashing.run(async () => {
      try {
        // While they waited, others of their addresses may have failed, or the peers have gone.
        const isMeant = ({ isAwaited, address }: LoginAttempt): boolean =>
          isAwaited() && !this.#failed.isTooMany(address);
        return attempts.some(isMeant) && (await isPassword(password, hashed));
      } finally {
        if (this.#finding.get(key)?.attempts === attempts) this.#finding.delete(key);
      }
    });
    this.#finding.set(key, { hashed, attempts, isRight });
    return isRight;
  }

  #judge(
    { user: name, isLoopback, address }: LoginAttempt,
    isRight: boolean,
    failure: LoginFailure = 'invalid credentials',
  ): User | LoginFailure {
    if (!isRight) {
      this.#failed.failed(address);
      return failure;
    }
    if (!isLoopback && this.#loopbackUsers.has(name)) return 'only from loopback';
    return { name };
  }

  #isKnown(user: UserRecord, password: string): boolean {
    const known = this.#known.get(user);
    return known !== undefined && isSame(known, this.#fingerprint(password));
  }

  /** Nobody ever sees one, so a key in front is enough: an HMAC takes twice as long, each login. */
  #fingerprint(password: string): Buffer {
    return hash('sha256', this.#key + password, 'buffer');
  }
}
