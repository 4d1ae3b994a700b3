import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SeededRandom } from '../../wire/seeded-random.js';
import { bodyOf, idOf } from '../traffic/bodies.js';
import type { BrokerAccess } from '../traffic/broker-access.js';
import type { Progress } from '../traffic/progress.js';
import type { Received, StreamClient } from '../traffic/stream-client.js';
import { type Letter, problemsOf, sightingOf } from './letter.js';
import { declareQueues, HOMES, TTL_MILLISECONDS } from './queues.js';

/** Letters that wait in `retry` do so undisturbed. */
const READ_FROM = [...HOMES, 'dead'];

/** All letters by their ids, and what clients have seen of them that must not be. */
export interface PostOffice {
  readonly letters: Map<number, Letter>;
  readonly progress: Progress;
  readonly nextId: () => number;
  readonly problems: string[];
}

/** Publishes letters with confirms. */
class Sender {
  readonly #broker: BrokerAccess;
  readonly #office: PostOffice;
  readonly #random: SeededRandom;
  readonly #unconfirmed = new Map<number, { readonly letter: Letter; readonly step: number }>();
  #client!: StreamClient;
  #published = 0;

  constructor(broker: BrokerAccess, office: PostOffice, random: SeededRandom) {
    this.#broker = broker;
    this.#office = office;
    this.#random = random;
  }

  async connect(): Promise<void> {
    const onConfirm = (tag: number, multiple: boolean): void => this.#confirmed(tag, multiple);
    const onRefusal = (tag: number): void => void this.#office.problems.push(`${tag} was refused`);
    this.#client = await this.#broker.connect({ onConfirm, onRefusal });
    await declareQueues(this.#broker, this.#client);
    await this.#broker.wait(this.#client.call('confirm.select'));
  }

  send(): void {
    const random = this.#random;
    const id = this.#office.nextId();
    const home = random.pick(HOMES);
    const size = random.percent(3) ? random.below(4_000) : random.below(300);
    const persistent = random.percent(90);
    const expiration = home === 'timed' && random.percent(40) ? 1 + random.below(1_000) : undefined;
    const body = bodyOf(id, size);
    const letter: Letter = {
      ...{ id, home, bytes: body.length, persistent, sentAt: this.#broker.wallTime() },
      ttlMilliseconds:
        home === 'timed' ? (expiration ?? TTL_MILLISECONDS) : Number.POSITIVE_INFINITY,
      ...{ confirmedAt: undefined, acknowledged: 'no' },
      rejections: { asked: 0, durable: 0 },
      returns: { asked: 0, durable: 0 },
    };
    this.#office.letters.set(id, letter);
    this.#unconfirmed.set(++this.#published, { letter, step: this.#office.progress.next() });
    this.#client.publish({ routingKey: home }, body, {
      ...{ deliveryMode: persistent ? 2 : 1, priority: random.below(3) },
      ...(expiration === undefined ? {} : { expiration: `${expiration}` }),
    });
  }

  async roundTrip(): Promise<void> {
    await this.#broker.wait(this.#client.roundTrip());
  }

  #confirmed(deliveryTag: number, multiple: boolean): void {
    const now = this.#broker.wallTime();
    for (const [tag, { letter, step }] of this.#unconfirmed) {
      if (multiple ? tag > deliveryTag : tag !== deliveryTag) continue;
      this.#unconfirmed.delete(tag);
      letter.confirmedAt = now;
      if (letter.persistent) this.#office.progress.reached(step);
    }
  }
}

/** A letter that a reader has got from a queue, and not settled. */
interface Held {
  readonly letter: Letter;
  readonly tag: number;
  readonly queue: string;
}

/** Gets letters from any queue, and acknowledges them, rejects them or gives them back. */
class Reader {
  readonly #broker: BrokerAccess;
  readonly #office: PostOffice;
  #client!: StreamClient;
  #held: Held[] = [];
  #effects: (() => void)[] = [];

  constructor(broker: BrokerAccess, office: PostOffice) {
    this.#broker = broker;
    this.#office = office;
  }

  async connect(): Promise<void> {
    this.#client = await this.#broker.connect();
  }

  get heldCount(): number {
    return this.#held.length;
  }

  async get(queue: string): Promise<void> {
    const askedAt = this.#broker.wallTime();
    const answer = await this.#broker.wait(this.#client.call('basic.get', { queue }));
    if (answer.method.name === 'basic.get-empty') return;
    const seenAt = this.#broker.wallTime();
    const { letters, problems } = this.#office;
    const id = idOf(answer.body);
    const letter = letters.get(id);
    if (letter === undefined) {
      problems.push(`letter ${id} in ${queue} is none that was sent`);
      return;
    }
    for (const problem of problemsOf(letter, sightingOf(queue, answer, { askedAt, seenAt }))) {
      problems.push(`letter ${id} in ${queue} ${problem}`);
    }
    this.#held.push({ letter, tag: tagOf(answer), queue });
  }

  settle(at: number, how: 'ack' | 'reject' | 'give back'): void {
    const { letter, tag, queue } = this.#held.splice(at, 1)[0]!;
    if (how === 'ack') {
      this.#client.send('basic.ack', { deliveryTag: tag });
      letter.acknowledged = 'maybe';
      this.#effects.push(() => {
        letter.acknowledged = 'yes';
      });
      return;
    }
    this.#client.send('basic.nack', { deliveryTag: tag, requeue: how === 'give back' });
    this.#count(letter, queue, how === 'reject' ? 'rejections' : 'returns');
  }

  /** Goes away, and comes again: what it held comes back. */
  async reconnect(): Promise<void> {
    for (const { letter, queue } of this.#held) this.#count(letter, queue, 'returns');
    this.#held = [];
    const close = this.#client.call('channel.close', { replyCode: 200, replyText: 'done' });
    await this.#broker.wait(close);
    this.#takenIn();
    this.#client.cut();
    await this.connect();
  }

  async roundTrip(): Promise<void> {
    await this.#broker.wait(this.#client.roundTrip());
    this.#takenIn();
  }

  /** The broker is being stopped: what is held comes back, perhaps. */
  stopping(): void {
    for (const { letter } of this.#held) letter.returns.asked++;
  }

  /** Rejections and returns are told of where they were: of `poison` and `work` in the headers. */
  #count(letter: Letter, queue: string, what: 'rejections' | 'returns'): void {
    if (queue === 'dead' && what === 'rejections') {
      // It has died there, and is gone.
      letter.acknowledged = 'maybe';
      this.#effects.push(() => {
        letter.acknowledged = 'yes';
      });
      return;
    }
    if (queue !== letter.home) return;
    const tally = letter[what];
    tally.asked++;
    this.#effects.push(() => {
      tally.durable++;
    });
  }

  #takenIn(): void {
    const effects = this.#effects;
    this.#effects = [];
    this.#office.progress.takenIn(() => {
      for (const effect of effects) effect();
    });
  }
}

/** Random senders and readers of letters, at one broker. */
export class Mail {
  readonly #broker: BrokerAccess;
  readonly #random: SeededRandom;
  readonly #burst: number;
  readonly #sender: Sender;
  readonly #readers: readonly Reader[];

  constructor(broker: BrokerAccess, office: PostOffice, random: SeededRandom, burst: number) {
    this.#broker = broker;
    this.#random = random;
    this.#burst = burst;
    this.#sender = new Sender(broker, office, random);
    this.#readers = [new Reader(broker, office), new Reader(broker, office)];
  }

  async begin(): Promise<void> {
    await this.#sender.connect();
    for (const reader of this.#readers) await reader.connect();
  }

  /** Somebody does something. */
  async step(): Promise<void> {
    const random = this.#random;
    const reader = random.pick(this.#readers);
    const chance = random.below(100);
    if (chance < 30) {
      const burst = random.percent(10) ? random.below(this.#burst) : 1;
      for (let i = 0; i < burst; i++) this.#sender.send();
    } else if (chance < 60) await reader.get(random.pick(READ_FROM));
    else if (chance < 82) {
      const how = random.pick(['ack', 'reject', 'give back', 'give back'] as const);
      if (reader.heldCount > 0) reader.settle(random.below(reader.heldCount), how);
    } else if (chance < 88) await reader.roundTrip();
    else if (chance < 90) await reader.reconnect();
    else if (chance < 94) this.#broker.letTimePass(random.below(700));
    else for (let i = random.below(6); i > 0; i--) await nextTurn();
  }

  async barrier(): Promise<void> {
    await this.#sender.roundTrip();
    for (const reader of this.#readers) {
      await reader.roundTrip();
      reader.stopping();
    }
  }
}

function tagOf({ method }: Received): number {
  return Number(method.args.deliveryTag);
}
