import assert from 'node:assert/strict';
import { type DiskEvent, DiskState, EVERYTHING } from '../simulation/disk-state.js';
import { FaultyFiles } from '../simulation/faulty-files.js';
import { observe } from '../simulation/observation.js';
import { type History, recordHistory } from '../simulation/short-history.js';
import { DIRECTORY } from '../simulation/world.js';

/** A data directory: what its files hold, by name. */
export type Directory = ReadonlyMap<string, Uint8Array>;

/** A small data directory, and what a broker finds in it. */
export interface Sample {
  readonly files: Directory;
  readonly fileBytes: number;
  readonly state: string;
  /** Ids of the messages that may be found, at most, by queue. */
  readonly published: ReadonlyMap<string, ReadonlySet<number>>;
}

/** What a broker leaves that was killed after a short history. */
export async function sampleDirectory(): Promise<Sample> {
  const history = await recordHistory();
  const content = DiskState.of(history.events).afterPowerLoss(EVERYTHING);
  const files = filesOf(new FaultyFiles({ content }));
  const { fileBytes } = history;
  return { files, fileBytes, state: await observe(diskOf(files), fileBytes), ...ever(history) };
}

/** Everything that was in a queue at any time. */
function ever({ milestones }: History): Pick<Sample, 'published'> {
  const published = new Map<string, Set<number>>();
  for (const { state } of milestones) {
    for (const [queue, ids] of queuesIn(state)) {
      const known = published.get(queue) ?? new Set();
      for (const id of ids) known.add(id);
      published.set(queue, known);
    }
  }
  return { published };
}

/** What became of a start on a directory. */
export type Outcome =
  | { readonly kind: 'started'; readonly state: string }
  | { readonly kind: 'refused'; readonly error: Error };

/** Starts a broker on a directory, and looks at what it finds. */
export async function start(files: Directory, fileBytes: number): Promise<Outcome> {
  try {
    return { kind: 'started', state: await observe(diskOf(files), fileBytes) };
  } catch (error) {
    assert.ok(error instanceof Error);
    return { kind: 'refused', error };
  }
}

/**
 * That a start on a damaged directory either refuses and says where, or finds what was there; what
 * it does not find has to be reported. Throws what is wrong.
 */
export function checkOutcome(sample: Sample, outcome: Outcome, what: string): void {
  if (outcome.kind === 'refused') {
    const { name, message } = outcome.error;
    assert.match(
      name,
      /^(DamagedJournalError|NewerFormatError)$/,
      `${what}: ${outcome.error.stack}`,
    );
    assert.match(message, /\/data\b/, `${what}: ${message}`);
    return;
  }
  const { state } = outcome;
  if (state === sample.state) return;
  assert.match(state, /damaged|missing|cut off/, `${what}: silently started with\n${state}`);
  for (const [queue, ids] of queuesIn(state)) {
    for (const id of ids) {
      assert.ok(sample.published.get(queue)?.has(id), `${what}: ${queue} never had ${id}`);
    }
  }
}

function queuesIn(state: string): Map<string, number[]> {
  const queues = new Map<string, number[]>();
  for (const line of state.split('\n')) {
    const [, queue, ids] = /^(q0|q1|urgent|mortal): ?(.*)$/.exec(line) ?? [];
    if (queue === undefined || ids === undefined) continue;
    // Behind a message's number stands how it came to be there.
    queues.set(queue, ids === '' ? [] : ids.split(', ').map((id) => Number.parseInt(id, 10)));
  }
  return queues;
}

/** What files there are on a disk now. */
export function filesOf(disk: FaultyFiles): Map<string, Uint8Array> {
  const state = DiskState.of(disk.events);
  const names = state.list(DIRECTORY);
  return new Map(names.map((name) => [name, state.content(state.find(`${DIRECTORY}/${name}`)!)]));
}

/** A disk with these files, all of it durable. */
export function diskOf(files: Directory): FaultyFiles {
  return new FaultyFiles({ content: contentOf(files) });
}

function contentOf(files: Directory): DiskEvent[] {
  const events: DiskEvent[] = [];
  let file = 0;
  for (const [name, bytes] of files) {
    const path = `${DIRECTORY}/${name}`;
    events.push({ kind: 'create', path, file: ++file });
    events.push({ kind: 'write', file, position: 0, bytes });
    events.push({ kind: 'settle', file, position: 0, length: bytes.length });
  }
  events.push({ kind: 'settle-names', directory: DIRECTORY, changes: files.size });
  return events;
}
