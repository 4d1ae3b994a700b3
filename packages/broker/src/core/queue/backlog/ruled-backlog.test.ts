import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestMessage } from '../../message.test.support.js';
import type { Plain } from '../../plain-table.test.support.js';
import type { Queue } from '../queue.js';
import { QueueClockwork } from '../queue-clockwork.test.support.js';

/** What ought to be: a list of messages, and rules in their plainest form. */
interface Entry {
  readonly label: string;
  readonly priority: number;
  /** Empty for a message that belongs to no group. */
  readonly key: string;
  readonly deadline: number;
  state: 'ready' | 'taken' | 'gone';
  position: number;
  returns: number;
}

interface Rules {
  readonly ttl: number;
  readonly maxLength: number;
  readonly deliveryLimit: number;
  readonly maxPriority: number;
  readonly hasGroups: boolean;
}

/** A queue under rules and a list of what it ought to hold, side by side. */
class SideBySide {
  readonly #world = new QueueClockwork();
  readonly #dead: Queue = this.#world.declare('dead');
  readonly #rules: Rules;
  readonly #queue: Queue;
  readonly #entries: Entry[] = [];
  /** Deaths since the last check, as they ought to be. */
  #deaths: string[] = [];

  constructor(rules: Rules) {
    this.#rules = rules;
    const args: Record<string, Plain> = {
      'x-dead-letter-exchange': '',
      'x-dead-letter-routing-key': 'dead',
      'x-message-ttl': rules.ttl,
      'x-max-length': rules.maxLength,
      'x-delivery-limit': rules.deliveryLimit,
    };
    if (rules.maxPriority > 0) args['x-max-priority'] = rules.maxPriority;
    if (rules.hasGroups) args['x-group-by'] = 'routing-key';
    this.#queue = this.#world.declare('q', args);
  }

  get taken(): Entry[] {
    return this.#entries.filter(({ state }) => state === 'taken');
  }

  publish(expiration: number | undefined, priority: number): void {
    const label = `${this.#entries.length}`;
    const message = new TestMessage(label, new Map(), false, expiration?.toString());
    message.priority = priority;
    const key = this.#rules.hasGroups && priority > 3 ? `${priority % 4}` : '';
    message.routingKey = key;
    const lifetime = Math.min(this.#rules.ttl, expiration ?? Number.POSITIVE_INFINITY);
    const deadline = this.#world.clock.now() + lifetime;
    const level = Math.min(priority, this.#rules.maxPriority);
    const entry: Entry = {
      label,
      priority: level,
      key,
      deadline,
      state: 'ready',
      position: 0,
      returns: 0,
    };
    this.#entries.push(entry);
    this.#dropHead();
    if (lifetime === 0 && entry.state === 'ready') this.#die(entry, 'expired');
    this.#queue.publish(message);
  }

  get(): void {
    const held = new Set(this.taken.map(({ key }) => key));
    held.delete('');
    const expected = this.#ready().find(({ key }) => !held.has(key));
    const taken = this.#queue.get(false);
    assert.equal(taken?.message.body().toString(), expected?.label);
    if (taken === undefined || expected === undefined) return;
    assert.equal(taken.redelivered, expected.returns > 0);
    expected.state = 'taken';
    expected.position = taken.position;
  }

  settle(entry: Entry, outcome: 'acknowledge' | 'giveBack' | 'reject'): void {
    if (outcome === 'acknowledge') {
      entry.state = 'gone';
    } else if (outcome === 'reject') {
      this.#die(entry, 'rejected');
    } else if (++entry.returns > this.#rules.deliveryLimit) {
      this.#die(entry, 'delivery_limit');
    } else if (entry.deadline <= this.#world.clock.now()) {
      this.#die(entry, 'expired');
    } else {
      entry.state = 'ready';
      this.#dropHead();
    }
    this.#queue[outcome](entry.position);
  }

  advance(milliseconds: number): void {
    this.#world.clock.advance(milliseconds);
    const now = this.#world.clock.now();
    for (const entry of this.#ready()) if (entry.deadline <= now) this.#die(entry, 'expired');
  }

  purge(): void {
    const ready = this.#ready();
    for (const entry of ready) entry.state = 'gone';
    assert.equal(this.#queue.purge(), ready.length);
  }

  check(): void {
    assert.equal(this.#queue.messageCount, this.#ready().length);
    const deaths: string[] = [];
    for (let letter = this.#dead.get(true); letter !== undefined; letter = this.#dead.get(true)) {
      const reason = letter.message.headers().get('x-first-death-reason')?.value;
      deaths.push(`${letter.message.body().toString()} ${String(reason)}`);
    }
    assert.deepEqual(new Set(deaths), new Set(this.#deaths));
    assert.equal(deaths.length, this.#deaths.length);
    this.#deaths = [];
  }

  /** That nothing is left of it when everything has gone. */
  end(): void {
    for (const entry of this.taken) this.settle(entry, 'acknowledge');
    this.advance(1_000_000);
    this.check();
    assert.equal(this.#queue.messageCount, 0);
    assert.equal(this.#world.clock.timers, 0);
  }

  #ready(): Entry[] {
    const ready = this.#entries.filter(({ state }) => state === 'ready');
    return ready.sort((a, b) => b.priority - a.priority || Number(a.label) - Number(b.label));
  }

  #dropHead(): void {
    const ready = this.#ready();
    for (const entry of ready.slice(0, Math.max(ready.length - this.#rules.maxLength, 0))) {
      this.#die(entry, 'maxlen');
    }
  }

  #die(entry: Entry, reason: string): void {
    entry.state = 'gone';
    this.#deaths.push(`${entry.label} ${reason}`);
  }
}

function run(seed: number, rules: Rules): void {
  let state = seed;
  const random = (below: number): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
  const pair = new SideBySide(rules);
  for (let step = 0; step < 400; step++) {
    const { taken } = pair;
    const entry = taken[random(Math.max(taken.length, 1))];
    const choice = random(12);
    if (choice < 4) pair.publish(random(2) === 0 ? random(60) : undefined, random(12));
    else if (choice < 7) pair.get();
    else if (choice === 7) pair.advance(random(20));
    else if (choice === 11 && random(10) === 0) pair.purge();
    else if (entry !== undefined) {
      const outcome = (['acknowledge', 'giveBack', 'giveBack', 'reject'] as const)[choice - 8];
      if (outcome !== undefined) pair.settle(entry, outcome);
    }
    pair.check();
  }
  pair.end();
}

for (const [name, order] of [
  ['one after the other', { maxPriority: 0, hasGroups: false }],
  ['9 priorities above the lowest', { maxPriority: 9, hasGroups: false }],
  ['one at a time of each group', { maxPriority: 0, hasGroups: true }],
] as const) {
  test(`whatever happens, the rules hold: ${name}`, () => {
    for (let seed = 1; seed <= 40; seed++) {
      const limits = { ttl: 40 + seed, maxLength: seed % 9, deliveryLimit: seed % 4 };
      const rules: Rules = { ...limits, ...order };
      assert.doesNotThrow(() => run(seed * 7_919, rules), `seed ${seed}`);
    }
  });
}
