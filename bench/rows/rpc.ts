import { decodeProperties } from '@leveret/amqp';
import type { FrameEvents } from '../load/frame-scanner.js';
import { encodePublish } from '../load/publish-cycle.js';
import type { RawPeer } from '../load/raw-peer.js';
import { NO_FAULTS } from '../load/sequence-check.js';
import { type Measurement, type Row, rateOf, type Setting } from './row.js';

const REPLY_TO = 'amq.rabbitmq.reply-to';
const BODY_BYTES = 16;

/** Offset of the property flags in a content header's payload. */
const FLAGS_OFFSET = 12;

/** Questions and answers over direct reply-to: each client asks again when it has its answer. */
export function rpcRow(clients: number): Row {
  return {
    name: `RPC round trips, ${clients} client${clients === 1 ? '' : 's'}`,
    figures: [{ name: '', unit: 'calls/s', better: 'higher' }],
    measure: (setting) => measureRpc(clients, setting),
  };
}

async function measureRpc(clients: number, setting: Setting): Promise<Measurement> {
  const { peers, id } = setting;
  const queue = `bench-${id}`;
  const server = await peers.open();
  await server.declareQueue(queue);
  await serve(server, queue, setting);
  const callers = await Promise.all(
    Array.from({ length: clients }, async (_, at) => new Caller(await peers.open(), queue, at)),
  );
  await Promise.all(callers.map((caller) => caller.start(setting)));
  const answered = (): number => callers.reduce((sum, caller) => sum + caller.answered, 0);
  const rate = await rateOf(setting, answered);
  for (const caller of callers) caller.stop();
  await (await peers.open()).deleteQueue(queue);
  const misrouted = callers.reduce((sum, caller) => sum + caller.foreign, 0);
  return {
    values: [rate.perSecond],
    ...rate.costs,
    faults: { ...NO_FAULTS, misrouted },
  };
}

/** Answers what has come at once with one write, as clients that gather their output do. */
async function serve(peer: RawPeer, queue: string, { peers }: Setting): Promise<void> {
  let replyTo = '';
  let replies: Buffer[] = [];
  await peer.consume(queue, true, 0);
  const events: FrameEvents = {
    header: (buffer, start, end) => {
      replyTo = decodeProperties(buffer, start + FLAGS_OFFSET, end).replyTo ?? '';
    },
    body: (buffer, start, end) => {
      const reply = { exchange: '', routingKey: replyTo, properties: {} };
      replies.push(encodePublish(reply, buffer.subarray(start, end)));
    },
  };
  peers.scan(peer, events, () => {
    if (replies.length === 0) return;
    peer.socket.write(replies.length === 1 ? replies[0]! : Buffer.concat(replies));
    replies = [];
  });
}

/** Has one question on the way at any time. */
class Caller {
  answered = 0;
  /** Answers to questions it did not ask. */
  foreign = 0;
  readonly #peer: RawPeer;
  readonly #question: Buffer;
  readonly #body: Buffer = Buffer.alloc(BODY_BYTES);
  #isStopped = false;

  constructor(peer: RawPeer, queue: string, number: number) {
    this.#peer = peer;
    this.#body.writeUInt32BE(number);
    const question = { exchange: '', routingKey: queue, properties: { replyTo: REPLY_TO } };
    this.#question = encodePublish(question, this.#body);
  }

  async start({ peers }: Setting): Promise<void> {
    await this.#peer.consume(REPLY_TO, true, 0);
    peers.scan(this.#peer, {
      body: (buffer, start, end) => {
        if (this.#body.compare(buffer, start, end) === 0) this.answered++;
        else this.foreign++;
        if (!this.#isStopped) this.#ask();
      },
    });
    this.#ask();
  }

  stop(): void {
    this.#isStopped = true;
  }

  #ask(): void {
    this.#body.writeUInt32BE(this.answered, 4);
    const octets = Buffer.from(this.#question);
    this.#body.copy(octets, octets.length - 1 - BODY_BYTES);
    this.#peer.socket.write(octets);
  }
}
