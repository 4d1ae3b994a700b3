import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { promisify } from 'node:util';
import {
  type PermissionRecord,
  type RunningBroker,
  startBroker,
  type TopicPermissionRecord,
  type UserLimits,
  type VhostLimits,
} from '@leveret/broker';
import { BrokerUnderTest, brokerUnderTest } from '../broker-under-test.js';

const run = promisify(execFile);

/** A user of a test's: the password is the name. */
export interface TestUser {
  readonly name: string;
  readonly tags?: readonly string[];
}

/** Whom and what there is to be, besides what there is. */
export interface Definitions {
  readonly users?: readonly TestUser[];
  readonly vhosts?: readonly string[];
  readonly permissions?: readonly PermissionRecord[];
  readonly topicPermissions?: readonly TopicPermissionRecord[];
}

/** What an operator does about users, permissions and virtual hosts. */
export interface Operator {
  define(definitions: Definitions): Promise<void>;
  setPassword(user: string, password: string): Promise<void>;
  setTags(user: string, tags: readonly string[]): Promise<void>;
  setUserLimits(user: string, limits: UserLimits): Promise<void>;
  deleteUser(user: string): Promise<void>;
  clearPermission(user: string, vhost: string): Promise<void>;
  setVhostLimits(vhost: string, limits: VhostLimits): Promise<void>;
  deleteVhost(vhost: string): Promise<void>;
}

/** A broker whose operator the test is. */
export interface OperatedBroker {
  readonly broker: BrokerUnderTest;
  /** Undefined if nobody has said how: tests that need it are skipped. */
  readonly operator: Operator | undefined;
  /** Tells this run's users and virtual hosts from another's. */
  readonly run: string;
}

/**
 * As `brokerUnderTest`, with its users in the test's hands: of the Leveret in this process through
 * its API, of a RabbitMQ through the command that `RABBITMQCTL` names.
 */
export async function operatedBroker(): Promise<OperatedBroker> {
  const name = randomBytes(4).toString('hex');
  if (process.env.AMQP_URL !== undefined) {
    const command = process.env.RABBITMQCTL;
    const broker = await brokerUnderTest();
    return { broker, operator: command === undefined ? undefined : rabbitctl(command), run: name };
  }
  const running = await startBroker({ port: 0 });
  after(() => running.close());
  const broker = new BrokerUnderTest(running.url, false, true);
  return { broker, operator: embeddedOperator(running), run: name };
}

/** A password hashed as RabbitMQ does; both brokers have to know it. */
export function rabbitHash(password: string): { password_hash: string; hashing_algorithm: string } {
  const salt = randomBytes(4);
  const hash = createHash('sha256').update(salt).update(password).digest();
  return {
    password_hash: Buffer.concat([salt, hash]).toString('base64'),
    hashing_algorithm: 'rabbit_password_hashing_sha256',
  };
}

function embeddedOperator({ users, permissions, vhosts }: RunningBroker): Operator {
  return {
    define: async (definitions) => {
      for (const vhost of definitions.vhosts ?? []) vhosts.create({ name: vhost });
      for (const { name, tags = [] } of definitions.users ?? []) {
        const { password_hash } = rabbitHash(name);
        await users.create({ name, password_hash, tags });
      }
      for (const permission of definitions.permissions ?? []) permissions.set(permission);
      for (const permission of definitions.topicPermissions ?? []) permissions.setTopic(permission);
    },
    setPassword: (user, password) => users.setPassword(user, password),
    setTags: async (user, tags) => users.setTags(user, tags),
    setUserLimits: async (user, limits) => users.setLimits(user, limits),
    deleteUser: async (user) => void users.delete(user),
    clearPermission: async (user, vhost) => void permissions.delete(user, vhost),
    setVhostLimits: async (vhost, limits) => vhosts.setLimits(vhost, limits),
    deleteVhost: async (vhost) => void vhosts.delete(vhost),
  };
}

function rabbitctl(command: string): Operator {
  const ask = async (...args: string[]): Promise<void> => {
    await run(command, ['--quiet', ...args]);
  };
  return {
    define: async (definitions) => {
      const directory = await mkdtemp(join(tmpdir(), 'definitions-'));
      const file = join(directory, 'definitions.json');
      const users = (definitions.users ?? []).map(({ name, tags = [] }) => {
        return { name, tags, ...rabbitHash(name) };
      });
      const vhosts = (definitions.vhosts ?? []).map((name) => ({ name }));
      const { permissions = [], topicPermissions = [] } = definitions;
      const all = { users, vhosts, permissions, topic_permissions: topicPermissions };
      await writeFile(file, JSON.stringify(all));
      try {
        await ask('import_definitions', file);
      } finally {
        await rm(directory, { recursive: true });
      }
    },
    setPassword: (user, password) => ask('change_password', user, password),
    setTags: (user, tags) => ask('set_user_tags', user, ...tags),
    setUserLimits: (user, limits) => ask('set_user_limits', user, JSON.stringify(limits)),
    deleteUser: (user) => ask('delete_user', user),
    clearPermission: (user, vhost) => ask('clear_permissions', '-p', vhost, user),
    setVhostLimits: (vhost, limits) => ask('set_vhost_limits', '-p', vhost, JSON.stringify(limits)),
    deleteVhost: (vhost) => ask('delete_vhost', vhost),
  };
}
