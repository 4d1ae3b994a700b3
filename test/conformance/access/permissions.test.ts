import { after, describe, test } from 'node:test';
import type { Permission, PermissionRecord } from '@leveret/broker';
import { channelClose, RawConnection } from '../../wire/raw-connection.js';
import { accessRefused } from '../differences.js';
import { operatedBroker } from './operated-broker.js';
import {
  type Need,
  OPERATIONS,
  type Operation,
  PATTERNS,
  PRESENT,
  type Which,
} from './operations.js';

const { broker, operator, run } = await operatedBroker();
const vhost = `permissions-${run}`;

/** One permission on one of the two resources. */
type Atom = `${Permission} ${Which}`;

const ATOMS: readonly Atom[] = (['configure', 'write', 'read'] as const).flatMap((permission) =>
  (['one', 'two'] as const).map((which): Atom => `${permission} ${which}`),
);

/** A user to whom exactly this is permitted. */
interface Holder {
  readonly name: string;
  readonly atoms: ReadonlySet<Atom>;
}

/**
 * All 64 there can be; of a broker whose operator is slow those that tell what an operation needs:
 * whoever has just that, and whoever lacks just one thing.
 */
function holders(): readonly Holder[] {
  const all = Array.from({ length: 2 ** ATOMS.length }, (_, bits) =>
    ATOMS.filter((_atom, index) => (bits & (1 << index)) !== 0),
  );
  const needed = new Set(OPERATIONS.map(({ needs }) => signature(needs.map(atomOf))));
  const chosen = all.filter(
    (atoms) => broker.isOwn || atoms.length >= ATOMS.length - 1 || needed.has(signature(atoms)),
  );
  return chosen.map((atoms, index) => {
    return { name: `holder-${index}-${run}`, atoms: new Set(atoms) };
  });
}

function atomOf({ permission, which }: Need): Atom {
  return `${permission} ${which}`;
}

function signature(atoms: readonly Atom[]): string {
  return ATOMS.filter((atom) => atoms.includes(atom)).join();
}

function permissionOf({ name, atoms }: Holder): PermissionRecord {
  const patternOf = (permission: Permission): string =>
    (['one', 'two'] as const)
      .filter((which) => atoms.has(`${permission} ${which}`))
      .map((which) => PATTERNS[which])
      .join('|');
  const [configure, write, read] = (['configure', 'write', 'read'] as const).map(patternOf);
  return { user: name, vhost, configure: configure!, write: write!, read: read! };
}

/** Tries an operation, and makes sure that it is refused for the first thing that is missing. */
async function attempt(
  raw: RawConnection,
  { name, atoms }: Holder,
  { method, args, needs, answer }: Operation,
): Promise<void> {
  const channel = 1;
  const fresh = `one-${run}-${++names}`;
  await raw.openChannel(channel);
  if (method === 'basic.publish') {
    await raw.call(channel, 'confirm.select');
    raw.publish(channel, args(fresh));
  } else raw.sendMethod(channel, method, args(fresh));
  const missing = needs.find((need) => !atoms.has(atomOf(need)));
  if (missing === undefined) {
    await raw.expectMethod(answer, channel);
    await raw.call(channel, 'channel.close', { replyCode: 200 });
    return;
  }
  const { permission, kind } = missing;
  const called = missing.called ?? String(args(fresh)[kind] ?? fresh);
  const text = broker.expected(accessRefused(permission, kind, called, vhost, name));
  const expected = called === 'amq.gen-' ? startOf(text) : text;
  await raw.expectClose(channel, channelClose(403, expected, method));
}

let names = 0;

/** Of a refusal that ends in a name of the broker's choice. */
function startOf(text: string): RegExp {
  return new RegExp(`^${text.split("amq.gen-'")[0]}amq\\.gen-`);
}

describe('permissions', { skip: operator === undefined ? 'no operator' : false }, async () => {
  const users = holders();
  const everything = { configure: '.*', write: '.*', read: '.*' };
  await operator?.define({
    vhosts: [vhost],
    users,
    permissions: [...users.map(permissionOf), { user: 'guest', vhost, ...everything }],
  });
  after(async () => {
    if (broker.isOwn) return;
    await operator?.deleteVhost(vhost);
    for (const { name } of users) await operator?.deleteUser(name);
  });
  const guest = await RawConnection.handshake(broker.port, { vhost });
  await guest.openChannel(1);
  await guest.call(1, 'queue.declare', { queue: PRESENT.queue });
  for (const exchange of [PRESENT.exchange, PRESENT.other]) {
    await guest.call(1, 'exchange.declare', { exchange });
  }
  await guest.close();

  for (const operation of OPERATIONS) {
    const needs = signature(operation.needs.map(atomOf)) || 'nothing';
    test(`${operation.title} needs ${needs}`, async () => {
      for (const holder of users) {
        const { name } = holder;
        const credentials = { user: name, password: name, vhost };
        const raw = await RawConnection.handshake(broker.port, credentials);
        await attempt(raw, holder, operation);
        await raw.close();
      }
    });
  }
});
