import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemRandom } from '../base/random.js';
import {
  checkPasswordHash,
  hashPassword,
  hashPasswordNow,
  isPassword,
  NO_PASSWORD,
  type PasswordHash,
  rabbitHash,
} from './password-hash.js';

/** Made by RabbitMQ 3.10.8: `rabbit_password:hash/2` of `s3cret`. */
const OF_RABBITMQ: readonly PasswordHash[] = [
  {
    hashing_algorithm: 'rabbit_password_hashing_sha256',
    password_hash: 'FrQWxE3FhyS3pg/Oq1zTUX5HWpZAQ2zA7j6YCJ0IjjkkF2Bn',
  },
  {
    hashing_algorithm: 'rabbit_password_hashing_sha512',
    password_hash:
      'k1ePYYf9ghbuBQQR5e7qN2t1tPjHRduD9EC+EH50a+5GhPFyFwTbG/VMDwgWeIjotIG16CgEjkzY0IrOogaA6D7Y5hE=',
  },
  {
    hashing_algorithm: 'rabbit_password_hashing_md5',
    password_hash: 'tjZp/+KJAogex5q9kZAU7C+3bf0=',
  },
];

describe('a password hash', () => {
  for (const hash of OF_RABBITMQ) {
    test(`of RabbitMQ's is understood: ${hash.hashing_algorithm}`, async () => {
      checkPasswordHash(hash);
      assert.equal(await isPassword('s3cret', hash), true);
      assert.equal(await isPassword('s3cret ', hash), false);
      assert.equal(await isPassword('', hash), false);
    });
  }

  test('of ours is of scrypt, salted, and the same whether it waits or not', async () => {
    const hashes = [
      await hashPassword('s3cret', systemRandom),
      await hashPassword('s3cret', systemRandom),
      hashPasswordNow('s3cret', systemRandom),
    ];
    assert.equal(new Set(hashes.map(({ password_hash }) => password_hash)).size, 3);
    for (const hash of hashes) {
      checkPasswordHash(hash);
      assert.equal(hash.hashing_algorithm, 'leveret_password_hashing_scrypt');
      assert.equal(await isPassword('s3cret', hash), true);
      assert.equal(await isPassword('s3creT', hash), false);
    }
  });

  test('that is none is nobody’s password', async () => {
    checkPasswordHash(NO_PASSWORD);
    for (const password of ['', '\0', 's3cret']) {
      assert.equal(await isPassword(password, NO_PASSWORD), false);
    }
  });

  test('is refused if it is not of its algorithm’s form', () => {
    const sha = rabbitHash('x', systemRandom);
    const tooCostly = Buffer.concat([Buffer.of(30, 8, 1), Buffer.alloc(48)]).toString('base64');
    const scrypt = 'leveret_password_hashing_scrypt' as const;
    const refused: readonly (readonly [PasswordHash, RegExp])[] = [
      [
        { ...sha, hashing_algorithm: 'rot13' as typeof scrypt },
        /unknown hashing algorithm 'rot13'/,
      ],
      [{ ...sha, password_hash: 'a b' }, /not base64/],
      [{ ...sha, password_hash: 'AAAA' }, /none of rabbit_password_hashing_sha256/],
      [{ ...sha, hashing_algorithm: 'rabbit_password_hashing_sha512' }, /none of/],
      [{ ...sha, hashing_algorithm: scrypt }, /none of/],
      [{ password_hash: tooCostly, hashing_algorithm: scrypt }, /none of/],
    ];
    for (const [hash, message] of refused) assert.throws(() => checkPasswordHash(hash), message);
  });
});
