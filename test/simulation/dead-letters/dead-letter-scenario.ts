import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SeededRandom } from '../../wire/seeded-random.js';
import type { Scenario } from '../scenario.js';
import { idOf } from '../traffic/bodies.js';
import type { BrokerAccess } from '../traffic/broker-access.js';
import type { CheckOptions } from '../traffic/model.js';
import { Progress } from '../traffic/progress.js';
import type { StreamClient } from '../traffic/stream-client.js';
import { type Letter, problemsOf, type Sighting, sightingOf } from './letter.js';
import { Mail, type PostOffice } from './mail.js';
import { declareQueues, QUEUES_IN_ORDER, SHORT_BYTES } from './queues.js';

/** How often one looks again for letters that have to be read from the disk before they move. */
const LOOKS_MAX = 2_000;

/**
 * Messages that expire, come back too often, are rejected or have to make room, and go from queue
 * to queue for that: each is in one queue and no other, its headers tell how it came there, and no
 * crash makes it forget how often it came back or how long it may stay.
 */
export class DeadLetterScenario implements Scenario {
  readonly #random: SeededRandom;
  readonly #burst: number;
  readonly #office: PostOffice;
  #mail: Mail | undefined;
  published = 0;

  /** `burst`: how many messages are published at once, at most. */
  constructor(random: SeededRandom, burst: number) {
    this.#random = random;
    this.#burst = burst;
    const nextId = (): number => ++this.published;
    this.#office = { letters: new Map(), progress: new Progress(), nextId, problems: [] };
  }

  async begin(broker: BrokerAccess): Promise<void> {
    this.#mail = new Mail(broker, this.#office, this.#random, this.#burst);
    await this.#mail.begin();
  }

  async step(): Promise<void> {
    await this.#mail?.step();
    assert.deepEqual(this.#office.problems, []);
  }

  async barrier(): Promise<void> {
    await this.#mail?.barrier();
  }

  async check(broker: BrokerAccess, { wasClean }: CheckOptions): Promise<void> {
    const { letters, progress } = this.#office;
    if (wasClean) {
      progress.reached(Number.POSITIVE_INFINITY);
      for (const letter of letters.values()) letter.confirmedAt ??= broker.wallTime();
    }
    progress.end();
    const found = await this.#lookEverywhere(broker);
    checkRoom(letters, found);
    const before = [...letters.values()];
    letters.clear();
    for (const letter of before) {
      const sighting = found.get(letter.id);
      if (sighting !== undefined) letters.set(letter.id, asFound(letter, sighting));
    }
  }

  /** Meets every letter, each of which has to be in one queue, and lets go of them all. */
  async #lookEverywhere(broker: BrokerAccess): Promise<Map<number, Sighting>> {
    const found = new Map<number, Sighting>();
    const client = await broker.connect();
    await declareQueues(broker, client);
    const due = [...this.#office.letters.values()].filter(
      ({ persistent, confirmedAt, acknowledged }) =>
        persistent && confirmedAt !== undefined && acknowledged === 'no',
    );
    for (let looks = 0; looks < LOOKS_MAX; looks++) {
      for (const queue of QUEUES_IN_ORDER) await this.#lookInto(queue, broker, client, found);
      if (due.every(({ id }) => found.has(id))) {
        client.cut();
        return found;
      }
      broker.letTimePass(1);
      await nextTurn();
    }
    const missing = due.filter(({ id }) => !found.has(id));
    assert.fail(`confirmed, and lost: ${missing.map(({ id, home }) => `${id} of ${home}`).join()}`);
  }

  async #lookInto(
    queue: string,
    broker: BrokerAccess,
    client: StreamClient,
    found: Map<number, Sighting>,
  ): Promise<void> {
    for (;;) {
      const askedAt = broker.wallTime();
      const answer = await broker.wait(client.call('basic.get', { queue }));
      if (answer.method.name === 'basic.get-empty') return;
      const id = idOf(answer.body);
      const sighting = sightingOf(queue, answer, { askedAt, seenAt: broker.wallTime() });
      const known = found.get(id);
      assert.ok(known === undefined, `letter ${id} is in ${known?.queue} and in ${queue}`);
      found.set(id, sighting);
      const letter = this.#office.letters.get(id);
      assert.ok(letter !== undefined, `letter ${id} in ${queue} is none that was sent`);
      assert.ok(letter.persistent, `letter ${id} in ${queue} is not persistent, and was kept`);
      for (const problem of problemsOf(letter, sighting)) {
        assert.fail(`letter ${id} in ${queue} ${problem}`);
      }
    }
  }
}

/** There is no more in `short` than there may be. */
function checkRoom(
  letters: ReadonlyMap<number, Letter>,
  found: ReadonlyMap<number, Sighting>,
): void {
  let bytes = 0;
  for (const [id, { queue }] of found) if (queue === 'short') bytes += letters.get(id)!.bytes;
  assert.ok(bytes <= SHORT_BYTES, `${bytes} octets in a queue that has room for ${SHORT_BYTES}`);
}

/** What is known of a letter after it was met: what may or may not have happened has, or not. */
function asFound(letter: Letter, { queue, deaths, returns, seenAt }: Sighting): Letter {
  const rejections = deaths.find(({ reason }) => reason === 'rejected')?.count ?? 0;
  const confirmedAt = letter.confirmedAt ?? seenAt;
  const known = { ...letter, confirmedAt, acknowledged: 'no' } as const;
  if (queue === 'dead') return known;
  return {
    ...known,
    rejections: { asked: rejections, durable: rejections },
    // It comes back once more, if the broker notices that whoever has looked is gone.
    returns: { asked: returns + 1, durable: returns },
  };
}
