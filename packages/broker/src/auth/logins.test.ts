import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { silentLogger } from '../base/logger.js';
import { ManualClock } from '../base/manual-clock.test.support.js';
import { systemRandom } from '../base/random.js';
import { type LoginAttempt, UNHEARD } from '../core/ports.js';
import { AccessControl } from './access-control.js';
import { Audit } from './audit.js';
import { OCCUPANCY_LIMITS } from './occupancy.js';

/** Access control of a broker with the virtual host `/` and the user alice. */
async function newAccess(): Promise<{ access: AccessControl; clock: ManualClock }> {
  const clock = new ManualClock();
  const access = new AccessControl({
    clock,
    random: systemRandom,
    limits: OCCUPANCY_LIMITS,
    node: 'leveret@test',
    ledger: { record: () => {} },
    audit: new Audit(UNHEARD, silentLogger),
    vhostLimits: (name) => (name === '/' ? {} : undefined),
    loopbackUsers: new Set(['local']),
  });
  const hash = await access.hash('right');
  for (const name of ['alice', 'local']) {
    access.users.create({ name, ...hash, tags: [], limits: {} });
  }
  return { access, clock };
}

function attempt(particulars: Partial<LoginAttempt> = {}): LoginAttempt {
  return {
    user: 'alice',
    password: 'right',
    address: '192.0.2.1',
    isLoopback: false,
    isAwaited: () => true,
    ...particulars,
  };
}

describe('logins', () => {
  test('by a password that was right are let in without hashing it, until it changes', async () => {
    const { access } = await newAccess();
    const { logins, users } = access;
    assert.ok(logins.login(attempt()) instanceof Promise);
    assert.deepEqual(await logins.login(attempt()), { name: 'alice' });
    assert.deepEqual(logins.login(attempt()), { name: 'alice' }, 'at once');
    assert.equal(await logins.login(attempt({ password: 'Right' })), 'invalid credentials');
    users.setPassword('alice', await access.hash('new'));
    assert.equal(await logins.login(attempt()), 'invalid credentials');
    assert.deepEqual(await logins.login(attempt({ password: 'new' })), { name: 'alice' });
    users.setTags('alice', ['monitoring']);
    assert.deepEqual(await logins.login(attempt({ password: 'new' })), { name: 'alice' });
    access.deleteUser('alice');
    assert.equal(await logins.login(attempt({ password: 'new' })), 'invalid credentials');
  });

  test('without a password are held to where they come from, too', async () => {
    const { access } = await newAccess();
    const proved = { user: 'local', password: undefined };
    assert.equal(access.logins.login(attempt(proved)), 'only from loopback');
    assert.deepEqual(access.logins.login(attempt({ ...proved, isLoopback: true })), {
      name: 'local',
    });
    const nobody = attempt({ ...proved, user: 'nobody' });
    assert.equal(access.logins.login(nobody), 'invalid credentials');
  });

  test('of a user who changes while the password is being hashed are judged anew', async () => {
    const { access } = await newAccess();
    const pending = access.logins.login(attempt());
    access.deleteUser('alice');
    assert.equal(await pending, 'invalid credentials');
    const { access: other } = await newAccess();
    const again = other.logins.login(attempt());
    other.users.setTags('alice', ['monitoring']);
    assert.deepEqual(await again, { name: 'alice' });
  });

  test('are refused with a blank password, without credentials, and from elsewhere', async () => {
    const { logins } = (await newAccess()).access;
    assert.equal(await logins.login(attempt({ password: '' })), 'blank password');
    assert.equal(await logins.login(attempt({ user: 'nobody' })), 'invalid credentials');
    assert.equal(await logins.login(attempt({ user: 'local' })), 'only from loopback');
    const here = attempt({ user: 'local', isLoopback: true });
    assert.deepEqual(await logins.login(here), { name: 'local' });
  });

  test('of users known otherwise need no password, but a user', async () => {
    const { logins } = (await newAccess()).access;
    assert.deepEqual(logins.login(attempt({ password: undefined })), { name: 'alice' });
    const stranger = attempt({ user: 'nobody', password: undefined });
    assert.equal(logins.login(stranger), 'invalid credentials');
  });

  test('that failed too often from an address are not looked at, unless known', async () => {
    const { access, clock } = await newAccess();
    const { logins } = access;
    await logins.login(attempt());
    for (let i = 0; i < 20; i++) {
      assert.equal(await logins.login(attempt({ password: '' })), 'blank password');
    }
    assert.equal(logins.login(attempt({ password: 'wrong' })), 'too many failed logins');
    assert.deepEqual(logins.login(attempt()), { name: 'alice' });
    const elsewhere = attempt({ password: 'wrong', address: '192.0.2.2' });
    assert.equal(await logins.login(elsewhere), 'invalid credentials');
    clock.advance(1_000);
    assert.equal(await logins.login(attempt({ password: 'wrong' })), 'invalid credentials');
  });

  test('with the same password wait for one hash; beyond a hundred others are sent away', async () => {
    const { logins } = (await newAccess()).access;
    const same = Array.from({ length: 1_000 }, () => logins.login(attempt()));
    const gone = { isAwaited: () => false };
    const others = Array.from({ length: 99 }, (_, i) =>
      logins.login(attempt({ ...gone, password: `${i}`, address: `192.0.2.${i}` })),
    );
    assert.equal(logins.login(attempt({ password: 'late' })), 'too many logins at a time');
    for (const result of await Promise.all(same)) assert.deepEqual(result, { name: 'alice' });
    for (const result of await Promise.all(others)) assert.equal(result, 'invalid credentials');
  });
});
