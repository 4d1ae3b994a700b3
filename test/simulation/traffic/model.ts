import assert from 'node:assert/strict';

/** A transaction: all of what it does happens, or nothing. */
export class ModelTransaction {
  /** undefined: not committed; `maybe`: asked for, and no answer; `yes`: answered. */
  committed: undefined | 'maybe' | 'yes';
}

/** A message in one queue. */
export interface Copy {
  readonly id: number;
  readonly persistent: boolean;
  readonly priority: number;
  /** What it is grouped by where messages are; empty for none. */
  readonly group: string;
  /** Who published it; messages of one publisher keep their order. */
  readonly publisher: string;
  readonly order: number;
  /** The transaction it was published in, if it was. */
  readonly publishedIn: ModelTransaction | undefined;
  /** Whether the publisher was told that it is safe. */
  isConfirmed: boolean;
  /** Whether a client has seen it. */
  isDelivered: boolean;
  /** Whether a client has seen it as new, not as redelivered: nobody else may. */
  wasNew: boolean;
  /** Whether its removal was asked for (`maybe`), and is known to be on the disk (`yes`). */
  removed: 'no' | 'maybe' | 'yes';
  /** The transaction it was acknowledged in, if it was. */
  removedIn: ModelTransaction | undefined;
}

/** A queue: of one name there may be several, one after the other. */
export class ModelQueue {
  readonly name: string;
  readonly maxPriority: number;
  /** Whether one message of each group is delivered at a time. */
  readonly hasGroups: boolean;
  readonly copies: Map<number, Copy> = new Map();
  /** Whether anybody has ever consumed or got from it. */
  wasRead = false;

  constructor(name: string, maxPriority: number, hasGroups: boolean) {
    this.name = name;
    this.maxPriority = maxPriority;
    this.hasGroups = hasGroups;
  }
}

/** A message as it was found in a queue. */
export interface Found {
  readonly id: number;
  readonly redelivered: boolean;
}

/** How a broker has ended. */
export interface CheckOptions {
  /** Whether the broker was stopped and not killed: then everything is exact. */
  readonly wasClean: boolean;
}

/** Checks what was found in a queue, in order, against what is known. Throws what is wrong. */
export function checkContent(
  queue: ModelQueue,
  found: readonly Found[],
  { wasClean }: CheckOptions,
): void {
  const where = `queue ${queue.name}`;
  const ids = new Set<number>();
  for (const { id, redelivered } of found) {
    assert.ok(!ids.has(id), `${where}: message ${id} is there twice`);
    ids.add(id);
    const copy = queue.copies.get(id);
    assert.ok(copy !== undefined, `${where}: message ${id} was never published to it`);
    checkMayBeThere(copy, where);
    if (copy.isDelivered) {
      assert.ok(redelivered, `${where}: message ${id} was delivered, and is not redelivered`);
    } else if ((wasClean && !queue.hasGroups) || !queue.wasRead) {
      // With groups, what was passed over comes back as what was delivered does.
      assert.ok(!redelivered, `${where}: message ${id} was never delivered, and is redelivered`);
    }
  }
  for (const copy of queue.copies.values()) {
    if (!ids.has(copy.id)) checkMayBeGone(copy, where, wasClean);
    judgeTransactions(copy, ids.has(copy.id));
  }
  checkOrder(queue, found);
}

function checkMayBeThere(copy: Copy, where: string): void {
  const { id } = copy;
  assert.ok(copy.persistent, `${where}: message ${id} is not persistent, and was kept`);
  assert.ok(copy.removed !== 'yes', `${where}: message ${id} was removed for good, and came back`);
  const { publishedIn } = copy;
  const mayBePublished = publishedIn === undefined || publishedIn.committed !== undefined;
  assert.ok(mayBePublished, `${where}: message ${id} was published in no committed transaction`);
  assert.ok(
    copy.removedIn?.committed !== 'yes',
    `${where}: message ${id} was acknowledged in a committed transaction, and came back`,
  );
}

function checkMayBeGone(copy: Copy, where: string, wasClean: boolean): void {
  if (!copy.persistent || copy.removed !== 'no') return;
  if (copy.removedIn?.committed !== undefined) return;
  const { publishedIn } = copy;
  const isPublished = publishedIn === undefined || publishedIn.committed === 'yes';
  const isSafe = copy.isConfirmed || publishedIn?.committed === 'yes' || (wasClean && isPublished);
  assert.ok(!isSafe, `${where}: message ${copy.id} was confirmed, and is lost`);
}

/** What the transactions' effects say of whether they have happened. */
const verdicts = new WeakMap<
  ModelTransaction,
  { readonly happened: boolean; readonly id: number }
>();

/** All effects of a transaction whose outcome is not known have to agree. */
function judgeTransactions(copy: Copy, isThere: boolean): void {
  const { id, publishedIn, removedIn } = copy;
  if (publishedIn?.committed === 'maybe' && copy.persistent) {
    // What was published and is gone may have been consumed since, if anybody could.
    if (isThere || (copy.removed === 'no' && removedIn === undefined))
      judge(publishedIn, isThere, id);
  }
  if (removedIn?.committed === 'maybe' && copy.persistent && copy.isConfirmed) {
    if (isThere || copy.removed === 'no') judge(removedIn, !isThere, id);
  }
}

function judge(transaction: ModelTransaction, happened: boolean, id: number): void {
  const before = verdicts.get(transaction);
  if (before === undefined) verdicts.set(transaction, { happened, id });
  else {
    const text = `messages ${before.id} and ${id} disagree whether their transaction has happened`;
    assert.equal(happened, before.happened, text);
  }
}

function checkOrder(queue: ModelQueue, found: readonly Found[]): void {
  const last = new Map<string, Copy>();
  let level = Number.POSITIVE_INFINITY;
  for (const { id, redelivered } of found) {
    const copy = queue.copies.get(id)!;
    const priority = Math.min(copy.priority, queue.maxPriority);
    assert.ok(priority <= level, `queue ${queue.name}: message ${id} is behind a lower priority`);
    level = priority;
    const key = `${copy.publisher} ${priority} ${queue.hasGroups ? copy.group : ''}`;
    const before = last.get(key);
    last.set(key, copy);
    if (before === undefined) continue;
    const text = `queue ${queue.name}: message ${id} is behind ${before.id} (${redelivered})`;
    assert.ok(copy.order > before.order, text);
  }
}
