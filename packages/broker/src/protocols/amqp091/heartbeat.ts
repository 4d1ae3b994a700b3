import { FRAME_END, FRAME_HEARTBEAT } from '@leveret/amqp';
import type { Clock, Timer } from '../../base/clock.js';
import type { Transport } from './transport.js';

const HEARTBEAT_FRAME = Buffer.from([FRAME_HEARTBEAT, 0, 0, 0, 0, 0, 0, FRAME_END]);

/** Half intervals without a sign of life after which a peer counts as gone: two whole ones. */
const SILENT_HALVES_MAX = 4;

/**
 * Keeps a connection's heartbeat (0-9-1 §4.2.7): sends a frame each half interval, as RabbitMQ does
 * (some clients give up after a single one without), and cuts the peer off when nothing came from
 * it for two. Whatever comes is a sign of life, and a peer that we have stopped reading from is not
 * held to be silent.
 */
export class Heartbeat {
  readonly #clock: Clock;
  readonly #transport: Transport;
  readonly #halfMilliseconds: number;
  readonly #missed: () => void;
  #timer: Timer | undefined;
  #silentHalves = 0;

  /** `missed` is called when the peer is given up. */
  constructor(clock: Clock, transport: Transport, intervalSeconds: number, missed: () => void) {
    this.#clock = clock;
    this.#transport = transport;
    this.#halfMilliseconds = intervalSeconds * 500;
    this.#missed = missed;
    if (intervalSeconds > 0) this.#wait();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #wait(): void {
    this.#timer = this.#clock.after(this.#halfMilliseconds, () => this.#beat());
  }

  #beat(): void {
    const transport = this.#transport;
    transport.send(HEARTBEAT_FRAME);
    this.#silentHalves = transport.hasReceived || transport.isPaused ? 0 : this.#silentHalves + 1;
    transport.hasReceived = false;
    if (this.#silentHalves >= SILENT_HALVES_MAX) this.#missed();
    else this.#wait();
  }
}
