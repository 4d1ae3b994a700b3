import type { AccessChange } from './auth/access-change.js';
import type { OccupancyLimits } from './auth/occupancy.js';
import type { Clock, Timer } from './base/clock.js';
import type { Deadlines } from './base/deadlines.js';
import type { Logger } from './base/logger.js';
import type { Random } from './base/random.js';
import type { Turn } from './base/turn.js';
import { KEY_FORMAT, StoredKey } from './core/deduplication/stored-key.js';
import { provideEventExchange } from './core/events/event-exchange.js';
import type { Reporting } from './core/events/reporting.js';
import { chainsEndedBy, Journalled } from './core/persistence.js';
import type { EventSink } from './core/ports.js';
import type { TopologyQuotas } from './core/quotas/topology-quotas.js';
import type { TopologyChange } from './core/topology.js';
import { VirtualHost } from './core/virtual-host.js';
import { AddressReader } from './protocols/amqp091/address-reader.js';
import { AmqpMessage } from './protocols/amqp091/amqp-message.js';
import { Realm, type RealmOptions } from './realm.js';
import { type DirectoryLock, lockDirectory } from './store/disk/directory-lock.js';
import type { Files } from './store/disk/files.js';
import { Journal } from './store/journal/journal.js';
import type { JournalOptions } from './store/journal/journal-file.js';
import { BEGUN_NAME, isOurs } from './store/journal/journal-file.js';
import { ForeignDirectoryError } from './store/journal/journal-format.js';
import { recover } from './store/journal/recovery/recovery.js';
import type { MemoryBudget } from './store/memory-budget.js';
import type { SlabAllocator } from './store/slab.js';

/** What is on the disk, put back, and the journal it goes on in. */
export interface OpenedJournal {
  readonly journal: Journal;
  readonly realm: Realm;
  readonly lock: DirectoryLock | undefined;
  readonly budget: MemoryBudget;
}

/** What opening a journal needs of the world. */
export interface OpenJournalPorts {
  readonly files: Files;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly logger: Logger;
  readonly random: Random;
  readonly turn: Turn;
  readonly slabs: SlabAllocator;
  readonly budget: MemoryBudget;
  readonly quotas: TopologyQuotas;
  readonly limits: OccupancyLimits;
  /** The broker's name among others; a wire string. */
  readonly node: string;
  readonly reporting: Reporting;
  readonly events: EventSink;
  /** Whether the directory is one of this machine's, for other processes to find it taken. */
  readonly isShared: boolean;
}

/** How long a disk that does not answer is waited for in the end, in milliseconds. */
const DISK_GRACE_MILLISECONDS = 30_000;

/**
 * Reads a data directory back, puts exchanges, queues and messages where they were, and begins a
 * new journal file. Rejects with DirectoryInUseError, NewerFormatError, or Node's error.
 */
export async function openJournal(
  realmOptions: RealmOptions,
  ports: OpenJournalPorts,
  options: JournalOptions,
): Promise<OpenedJournal> {
  const { files, logger, slabs, random } = ports;
  await files.makeDirectory(options.directory);
  await checkOurs(files, options.directory);
  const lock = ports.isShared
    ? await lockDirectory(options.directory, random, ports.clock)
    : undefined;
  try {
    const recovered = await recover(files, options.directory, chainsEndedBy, logger);
    const address = new AddressReader();
    const journal: Journal = new Journal(
      {
        ...ports,
        decode: (format, priority, buffer, start, end) =>
          format === KEY_FORMAT
            ? StoredKey.restore(buffer, start, end)
            : AmqpMessage.restore(slabs, address, { format, priority }, buffer, start, end),
        topology: () => topologyOf(realm, persistence),
      },
      options,
      recovered,
    );
    const persistence: Journalled = new Journalled(journal, ports.budget, recovered.chains);
    const realm: Realm = new Realm(
      {
        ...ports,
        record: (change) => persistence.recordAccess(change),
        makeVhost: (name) => {
          const vhost = new VirtualHost(name, { ...ports, persistence });
          // Bindings from it may be put back.
          if (realm.vhosts.all().length === 0) provideEventExchange(vhost);
          return vhost;
        },
      },
      realmOptions,
    );
    for (const each of recovered.topology) {
      // What the journal holds was written by Journalled.
      const change = each as TopologyChange | AccessChange;
      if (change.what === 'queue-numbers') persistence.sawQueueNumber(change.next - 1);
      if (change.what === 'queue' || change.what === 'window' || change.what === 'delays') {
        persistence.sawQueueNumber(change.number);
      }
      realm.restore(change);
    }
    realm.seed(realmOptions);
    for (const vhost of realm.vhosts.all()) vhost.reopen();
    persistence.restored();
    await journal.open();
    for (const vhost of realm.vhosts.all()) await vhost.deduplication.load();
    for (const vhost of realm.vhosts.all()) vhost.restored();
    await markBegun(files, options.directory);
    return { journal, realm, lock, budget: ports.budget };
  } catch (error) {
    await lock?.release();
    throw error;
  }
}

/**
 * Writes what is gathered and lets go of the directory. A disk that does not answer is not waited
 * for for ever: nothing that was confirmed is lost by that.
 */
export async function closeJournal(
  { journal, realm, lock }: OpenedJournal,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Promise<void> {
  for (const vhost of realm.vhosts.all()) {
    for (const queue of vhost.queues.all()) queue.settle();
  }
  let timer: Timer | undefined;
  const hangs = new Promise<void>((resolve) => {
    timer = clock.after(DISK_GRACE_MILLISECONDS, resolve, true);
  }).then(() => logger.error('closing without what the disk has neither taken nor refused'));
  await Promise.race([journal.close(), hangs]);
  timer?.cancel();
  await lock?.release();
}

/** Refuses a directory that holds something, and nothing of ours. */
async function checkOurs(files: Files, directory: string): Promise<void> {
  const names = await files.list(directory);
  const foreign = names.find((name) => !isOurs(name));
  if (foreign === undefined || names.includes(BEGUN_NAME)) return;
  throw new ForeignDirectoryError(
    `${directory} is no data directory of Leveret's: it holds ${foreign}; name an empty one`,
  );
}

/** Leaves a mark that there is something here, for a start that finds nothing to be wary of. */
async function markBegun(files: Files, directory: string): Promise<void> {
  if ((await files.list(directory)).includes(BEGUN_NAME)) return;
  const options = { create: true, durableWrites: true };
  const file = await files.open(`${directory}/${BEGUN_NAME}`, options);
  await file.write(Buffer.from("A Leveret broker's data directory. Leave it to the broker.\n"), 0);
  await file.close();
  await files.syncDirectory(directory);
}

function topologyOf(realm: Realm, persistence: Journalled): (TopologyChange | AccessChange)[] {
  return [{ what: 'queue-numbers', next: persistence.nextQueueNumber }, ...realm.changes()];
}
