import { createHash, type ScryptOptions, scrypt, scryptSync, timingSafeEqual } from 'node:crypto';
import type { Random } from '../base/random.js';

/**
 * How a password is hashed: RabbitMQ's names, and one of our own for the passwords that are set
 * here.
 */
export const HASHING_ALGORITHMS = [
  'rabbit_password_hashing_sha256',
  'rabbit_password_hashing_sha512',
  'rabbit_password_hashing_md5',
  'leveret_password_hashing_scrypt',
] as const;

/** One of {@link HASHING_ALGORITHMS}. */
export type HashingAlgorithm = (typeof HASHING_ALGORITHMS)[number];

/** A password that is hashed, with the names that RabbitMQ's definitions files give the fields. */
export interface PasswordHash {
  /** Base64; empty for a user who cannot log in by password. */
  readonly password_hash: string;
  readonly hashing_algorithm: HashingAlgorithm;
}

/** Nobody's password. */
export const NO_PASSWORD: PasswordHash = {
  password_hash: '',
  hashing_algorithm: 'rabbit_password_hashing_sha256',
};

/** Octets of salt before RabbitMQ's hashes. */
const RABBIT_SALT_BYTES = 4;
const SCRYPT_SALT_BYTES = 16;
const SCRYPT_KEY_BYTES = 32;

/** What a hash costs (RFC 7914 §2). */
interface ScryptCost {
  readonly log2N: number;
  readonly r: number;
  readonly p: number;
}

/** 16 MiB and some tens of milliseconds a password. */
const SCRYPT_COST: ScryptCost = { log2N: 14, r: 8, p: 1 };
/** Costs above these are not ours, and would be a way to stop the broker. */
const SCRYPT_COST_MAX: ScryptCost = { log2N: 17, r: 16, p: 4 };
const SCRYPT_HEAD_BYTES = 3;

const DIGESTS: Readonly<Record<string, string>> = {
  rabbit_password_hashing_sha256: 'sha256',
  rabbit_password_hashing_sha512: 'sha512',
  rabbit_password_hashing_md5: 'md5',
};

/** Hashes a password, a wire string, with scrypt, on one of libuv's four threads. */
export async function hashPassword(password: string, random: Random): Promise<PasswordHash> {
  const salt = random.bytes(SCRYPT_SALT_BYTES);
  return scryptHash(salt, await derive(password, salt, SCRYPT_KEY_BYTES, SCRYPT_COST));
}

/** The same while everything waits: for the start of a broker. */
export function hashPasswordNow(password: string, random: Random): PasswordHash {
  const salt = random.bytes(SCRYPT_SALT_BYTES);
  const bytes = Buffer.from(password, 'latin1');
  return scryptHash(salt, scryptSync(bytes, salt, SCRYPT_KEY_BYTES, optionsOf(SCRYPT_COST)));
}

/** Hashes a password as RabbitMQ does: at once, and so for a password that everybody knows. */
export function rabbitHash(password: string, random: Random): PasswordHash {
  const salt = random.bytes(RABBIT_SALT_BYTES);
  const hash = Buffer.concat([salt, digest('sha256', salt, password)]);
  return {
    password_hash: hash.toString('base64'),
    hashing_algorithm: 'rabbit_password_hashing_sha256',
  };
}

/**
 * Whether a hash is of the form that its algorithm gives it; an empty one is. Throws a RangeError
 * that says what is wrong.
 */
export function checkPasswordHash({ password_hash, hashing_algorithm }: PasswordHash): void {
  if (!HASHING_ALGORITHMS.includes(hashing_algorithm)) {
    throw new RangeError(`unknown hashing algorithm '${hashing_algorithm}'`);
  }
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(password_hash)) {
    throw new RangeError('the password hash is not base64');
  }
  const hash = Buffer.from(password_hash, 'base64');
  if (hash.length === 0) return;
  const algorithm = DIGESTS[hashing_algorithm];
  if (algorithm === undefined) {
    if (readScrypt(hash) !== undefined) return;
  } else if (hash.length === RABBIT_SALT_BYTES + digest(algorithm, hash, '').length) return;
  throw new RangeError(`the password hash is none of ${hashing_algorithm}`);
}

/**
 * Whether a password is the one that was hashed, found out in a time that does not tell how much
 * of it was right. Scrypt takes its time on another thread: only then there is a promise.
 */
export function isPassword(password: string, hashed: PasswordHash): boolean | Promise<boolean> {
  const hash = Buffer.from(hashed.password_hash, 'base64');
  const algorithm = DIGESTS[hashed.hashing_algorithm];
  if (algorithm === undefined) return isScrypt(password, hash);
  const expected = hash.subarray(RABBIT_SALT_BYTES);
  const given = digest(algorithm, hash.subarray(0, RABBIT_SALT_BYTES), password);
  return isSame(given, expected);
}

/** Whether it takes long to find out, on another thread. */
export function isSlow({ hashing_algorithm }: PasswordHash): boolean {
  return DIGESTS[hashing_algorithm] === undefined;
}

/** Compares in constant time. */
export function isSame(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

function digest(algorithm: string, salt: Buffer, password: string): Buffer {
  return createHash(algorithm).update(salt).update(password, 'latin1').digest();
}

async function isScrypt(password: string, hash: Buffer): Promise<boolean> {
  const parts = readScrypt(hash);
  if (parts === undefined) return false;
  return isSame(await derive(password, parts.salt, parts.key.length, parts), parts.key);
}

/**
 * ```text
 * log2 N u8 | r u8 | p u8 | salt 16 | key 32
 * ```
 */
function readScrypt(
  hash: Buffer,
): (ScryptCost & { readonly salt: Buffer; readonly key: Buffer }) | undefined {
  if (hash.length !== SCRYPT_HEAD_BYTES + SCRYPT_SALT_BYTES + SCRYPT_KEY_BYTES) return undefined;
  const [log2N = 0, r = 0, p = 0] = hash;
  const { log2N: log2NMax, r: rMax, p: pMax } = SCRYPT_COST_MAX;
  if (log2N < 1 || log2N > log2NMax || r < 1 || r > rMax || p < 1 || p > pMax) return undefined;
  const saltEnd = SCRYPT_HEAD_BYTES + SCRYPT_SALT_BYTES;
  const salt = hash.subarray(SCRYPT_HEAD_BYTES, saltEnd);
  return { log2N, r, p, salt, key: hash.subarray(saltEnd) };
}

function scryptHash(salt: Buffer, key: Buffer): PasswordHash {
  const { log2N, r, p } = SCRYPT_COST;
  return {
    password_hash: Buffer.concat([Buffer.of(log2N, r, p), salt, key]).toString('base64'),
    hashing_algorithm: 'leveret_password_hashing_scrypt',
  };
}

function derive(
  password: string,
  salt: Buffer,
  keyBytes: number,
  cost: ScryptCost,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const bytes = Buffer.from(password, 'latin1');
    scrypt(bytes, salt, keyBytes, optionsOf(cost), (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

function optionsOf({ log2N, r, p }: ScryptCost): ScryptOptions {
  const N = 2 ** log2N;
  // Twice what it needs, as Node counts it.
  return { N, r, p, maxmem: 256 * N * r };
}
