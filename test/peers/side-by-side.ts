/**
 * Lets two brokers live through the same scripts and compares every answer, step by step:
 *
 *     node test/dist/peers/side-by-side.js [--scripts 100] [--seed 1] [--rabbitmq amqp://...]
 *
 * It starts a Leveret, and a RabbitMQ where none is given. Where they disagree it prints the step
 * and both answers, and exits with 1.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { RawConnection } from '../wire/raw-connection.js';
import { SeededRandom } from '../wire/seeded-random.js';
import type { Method } from '../wire/wire-codec.js';
import { clientScript, type ScriptNames, type Step } from './client-script.js';
import { startLeveretProcess } from './leveret-process.js';
import { startRabbitNode } from './rabbitmq-node.js';

/** Where two brokers answered differently. */
export interface Disagreement {
  readonly seed: number;
  readonly step: string;
  readonly answers: readonly [string, string];
}

/** Scripts at a time: they mostly wait. */
const parallel = 8;

/** Runs the scripts of so many seeds on both ports. */
export async function sideBySide(
  ports: readonly [number, number],
  scripts: number,
  firstSeed: number,
): Promise<Disagreement[]> {
  const disagreements: Disagreement[] = [];
  let seed = firstSeed;
  const go = async (): Promise<void> => {
    while (seed < firstSeed + scripts) {
      const disagreement = await compareWithPatience(ports, seed++);
      if (disagreement) disagreements.push(disagreement);
    }
  };
  await Promise.all(Array.from({ length: parallel }, go));
  return disagreements;
}

/** On a busy machine an answer may come late: only what is so with more time too is so. */
async function compareWithPatience(
  ports: readonly [number, number],
  seed: number,
): Promise<Disagreement | undefined> {
  let disagreement: Disagreement | undefined;
  for (const milliseconds of settlingMilliseconds) {
    disagreement = await compare(ports, seed, milliseconds);
    if (disagreement === undefined) break;
  }
  return disagreement;
}

async function compare(
  ports: readonly [number, number],
  seed: number,
  milliseconds: number,
): Promise<Disagreement | undefined> {
  const run = `${process.pid}-${seed}-${milliseconds}`;
  const names = {
    queues: [1, 2, 3].map((number) => `side-q${number}-${run}`),
    exchanges: [1, 2, 3].map((number) => `side-x${number}-${run}`),
    absent: `side-absent-${run}`,
  };
  const steps = clientScript(new SeededRandom(Math.imul(seed, 0x9e3779b1)), names, 30);
  const [one, other] = await Promise.all([
    new Life(ports[0], milliseconds).live(steps, names),
    new Life(ports[1], milliseconds).live(steps, names),
  ]);
  const at = steps.findIndex((_, index) => one[index] !== other[index]);
  const answers = [one[at] ?? 'nothing', other[at] ?? 'nothing'] as const;
  if (at === -1 || isUndecided(...answers)) return undefined;
  return { seed, step: `${at}: ${JSON.stringify(steps[at])}`, answers };
}

/**
 * How long after a step its answers are gathered, at the first try and at the next ones: queues and
 * channels of RabbitMQ are processes.
 */
const settlingMilliseconds = [15, 60, 250];
const settlingRounds = 3;
const settlingRoundsMax = 100;

/**
 * Whether two answers may differ: deliveries from several queues to one channel come in any order,
 * and a commit that is refused in part is a listed difference. From there on a script cannot be
 * compared.
 */
function isUndecided(one: string, other: string): boolean {
  const untagged = (answer: string): string =>
    answer
      .replace(/"deliveryTag":\d+/g, '"deliveryTag":0')
      .split('\n')
      .sort(byText)
      .join('\n');
  return untagged(one) === untagged(other) || /partial tx completion/.test(one);
}

/** Methods without an answer where all goes well. */
const unanswered: ReadonlySet<string> = new Set([
  'basic.publish',
  'basic.ack',
  'basic.nack',
  'basic.reject',
]);

/** The name of a method that answers, at its place in a description. */
const answer = /^\d+ (\S+-ok|basic\.get-empty|channel\.close) /;

/** A channel that takes no part, and tells when the connection was heard out. */
const listeningChannel = 99;

/** One script on one broker. */
class Life {
  readonly #port: number;
  readonly #milliseconds: number;
  readonly #open = new Set<number>();
  /** Queues that were seen declared, those the broker named among them. */
  readonly #declared = new Set<string>();
  #published = 0;
  #isClosed = false;

  constructor(port: number, milliseconds: number) {
    this.#port = port;
    this.#milliseconds = milliseconds;
  }

  /** The answers to each step, as text. A connection exception ends them. */
  async live(steps: readonly Step[], names: ScriptNames): Promise<string[]> {
    const raw = await RawConnection.handshake(this.#port);
    await raw.openChannel(listeningChannel);
    const answers: string[] = [];
    try {
      for (const step of steps) {
        if (!this.#open.has(step.channel)) {
          raw.sendMethod(step.channel, 'channel.open');
          this.#open.add(step.channel);
        }
        if (step.method === 'channel.close') this.#open.delete(step.channel);
        this.#take(raw, step);
        const heard = await this.#listen(raw, step);
        answers.push(heard.join('\n'));
        if (this.#isClosed) break;
      }
    } finally {
      await this.#end(raw);
      await this.#tidy(names);
    }
    return answers;
  }

  #take(raw: RawConnection, { channel, method, args, properties }: Step): void {
    if (method === 'basic.publish') {
      raw.publish(channel, args, `message ${++this.#published}`, properties ?? {});
    } else {
      raw.sendMethod(channel, method, args);
    }
  }

  /**
   * All that comes until the step is answered and the broker has settled, sorted, as the order
   * across channels is its own.
   */
  async #listen(raw: RawConnection, step: Step): Promise<string[]> {
    const heard: string[] = [];
    const isDue = step.args.nowait !== true && !unanswered.has(step.method);
    const isAnswered = (): boolean =>
      !isDue || heard.some((line) => line.startsWith(`${step.channel} `) && answer.test(line));
    for (let round = 0; round < settlingRoundsMax; round++) {
      if (round >= settlingRounds && isAnswered()) break;
      await delay(this.#milliseconds);
      raw.sendMethod(listeningChannel, 'channel.flow', { active: true });
      for (;;) {
        const method = await raw.nextMethod();
        if (method.channel === listeningChannel) break;
        const line = await this.#describe(raw, method);
        if (line !== undefined) heard.push(line);
        if (method.name === 'connection.close') {
          raw.sendMethod(0, 'connection.close-ok');
          await raw.expectEnd();
          this.#isClosed = true;
          return heard.sort(byText);
        }
      }
    }
    return heard.sort(byText);
  }

  async #describe(raw: RawConnection, method: Method): Promise<string | undefined> {
    const { channel, name } = method;
    const args: Record<string, unknown> = { ...method.args };
    switch (name) {
      case 'basic.ack':
      case 'basic.nack':
        // Confirms come singly or together, sooner or later.
        return undefined;
      case 'channel.open-ok':
        return undefined;
      case 'channel.close':
        raw.sendMethod(channel, 'channel.close-ok');
        this.#open.delete(channel);
        break;
      case 'queue.declare-ok':
        this.#declared.add(String(args.queue));
        // RabbitMQ counts before it has taken in what was published.
        args.messageCount = 'some';
        break;
      case 'basic.deliver':
      case 'basic.get-ok':
      case 'basic.return': {
        const { properties, body } = await raw.contentOf(method, name, channel);
        Object.assign(args, { properties: comparable(properties), body: body.toString() });
        break;
      }
    }
    return `${channel} ${name} ${JSON.stringify(args)}`.replace(
      /amq\.gen-[\w-]{22}/g,
      'amq.gen-...',
    );
  }

  /** Closes the connection unless the broker has, so that its exclusive queues are gone. */
  async #end(raw: RawConnection): Promise<void> {
    if (!this.#isClosed) {
      raw.sendMethod(0, 'connection.close', { replyCode: 200 });
      while ((await raw.nextFrame()).channel !== 0);
    }
    raw.destroy();
  }

  async #tidy(names: ScriptNames): Promise<void> {
    const raw = await RawConnection.handshake(this.#port);
    await raw.openChannel(1);
    for (const queue of [...names.queues, names.absent, ...this.#declared])
      await raw.call(1, 'queue.delete', { queue });
    for (const exchange of [...names.exchanges, names.absent])
      await raw.call(1, 'exchange.delete', { exchange });
    await raw.close();
  }
}

/** Properties without what 3.10.8 does not know, the time of a death, and the order in tables. */
function comparable(properties: Readonly<Record<string, unknown>>): unknown {
  return JSON.parse(
    JSON.stringify(properties, (key, value: unknown) => {
      if (key.startsWith('x-last-death-')) return undefined;
      if (key === 'time') return 'then';
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
      return Object.fromEntries(Object.entries(value).sort(([a], [b]) => byText(a, b)));
    }),
  );
}

function byText(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      scripts: { type: 'string', default: '100' },
      seed: { type: 'string', default: '1' },
      rabbitmq: { type: 'string' },
    },
  });
  const leveret = await startLeveretProcess();
  const node = values.rabbitmq === undefined ? await startRabbitNode() : undefined;
  try {
    const port = node?.port ?? Number(new URL(values.rabbitmq!).port);
    const found = await sideBySide(
      [port, leveret.port],
      Number(values.scripts),
      Number(values.seed),
    );
    for (const { seed, step, answers } of found) {
      console.log(
        `seed ${seed}, step ${step}\n  RabbitMQ: ${answers[0]}\n  Leveret:  ${answers[1]}`,
      );
    }
    console.log(`${found.length} of ${values.scripts} scripts differ`);
    if (found.length > 0) process.exitCode = 1;
  } finally {
    await leveret.stop();
    await node?.stop();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
