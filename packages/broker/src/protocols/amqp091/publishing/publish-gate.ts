import { FRAME_METHOD } from '@leveret/amqp';
import type { PublishersWait } from '../../../core/ports.js';

const PUBLISH = 0x003c_0028;
const ACK = 0x003c_0050;
const REJECT = 0x003c_005a;
const NACK = 0x003c_0078;

/** A frame that waits; in memory of its own. */
interface HeldFrame {
  readonly type: number;
  readonly channel: number;
  readonly buffer: Buffer;
}

/** What a gate needs of its connection. */
export interface PublishGateHost {
  /** Whether there is anything to acknowledge on the connection, or may be. */
  hasConsumers(): boolean;
  /** Whether a channel's acknowledgements take effect at once: it has no transaction. */
  settlesAtOnce(channel: number): boolean;
  /** Stops reading; with `again` the frame being handled comes once more. */
  holdReading(again: boolean): void;
  resumeReading(): void;
  /** Takes a frame that had to wait. */
  frame(type: number, channel: number, buffer: Buffer, start: number, end: number): void;
  /** Publishers have to wait from now on: why, or undefined when that is over. */
  blocked(reason: string | undefined): void;
  /** Does something that is the connection's alone, whoever has called. */
  guard(action: () => void): void;
}

/** Room before a frame's payload, for its header: messages keep whole frames. */
const HEADER_BYTES = 7;

/**
 * Has a connection's publishes wait while the broker is short of memory or disk, from the first one
 * on that comes then. A connection that only publishes is not read any more, as in RabbitMQ. One
 * that also consumes goes on acknowledging, so that what it frees can end the alarm: what it
 * publishes meanwhile is kept here, up to a limit, and acknowledgements pass by it. Any other
 * method on a channel with publishes here waits behind them, and the connection with it.
 */
export class PublishGate {
  readonly #alarms: PublishersWait;
  readonly #host: PublishGateHost;
  readonly #heldBytesMax: number;
  #held: HeldFrame[] = [];
  #heldBytes = 0;
  /** Channels whose publishes wait here. */
  readonly #channels = new Set<number>();
  #isShut = false;
  #isReadingHeld = false;
  #isReplaying = false;
  #isOver = false;

  constructor(alarms: PublishersWait, heldBytesMax: number, host: PublishGateHost) {
    this.#alarms = alarms;
    this.#heldBytesMax = heldBytesMax;
    this.#host = host;
  }

  /** Whether publishes of the connection wait here. */
  get isHolding(): boolean {
    return this.#channels.size > 0;
  }

  /** Asked for each frame of a channel during an alarm: whether it has to wait. */
  holdBack(type: number, channel: number, buffer: Buffer, start: number, end: number): boolean {
    if (this.#isOver) return false;
    const isHeld = this.#channels.has(channel);
    if (type === FRAME_METHOD && end - start >= 4) {
      const id = buffer.readUInt32BE(start);
      if (id === PUBLISH) {
        this.#shut();
        if (!this.#host.hasConsumers() && !this.#isReplaying) return this.#comeAgain();
        this.#channels.add(channel);
      } else if (!isHeld) {
        return false;
      } else if (id === ACK || id === NACK || id === REJECT) {
        return this.#host.settlesAtOnce(channel) ? false : this.#comeAgain();
      } else {
        return this.#comeAgain();
      }
    } else if (!isHeld) {
      // It belongs to a publish that began before the alarm.
      return false;
    }
    this.#hold(type, channel, buffer, start, end);
    return true;
  }

  /** The connection's last method has come: what waits goes before it. */
  waitForHeld(): void {
    this.#comeAgain();
  }

  /** The connection is over. What its peer has sent whole is published all the same. */
  end(): void {
    this.#isOver = true;
    this.#alarms.forget(this.#open);
    this.#replay();
  }

  #shut(): void {
    if (this.#isShut) return;
    this.#isShut = true;
    this.#host.blocked(this.#alarms.reason);
    this.#alarms.onCleared(this.#open);
  }

  readonly #open = (): void => this.#host.guard(() => this.#reopen());

  #reopen(): void {
    this.#isShut = false;
    this.#replay();
    // There may be an alarm again, by what has just been published.
    if (this.#isShut) return;
    this.#host.blocked(undefined);
    if (!this.#isReadingHeld) return;
    this.#isReadingHeld = false;
    this.#host.resumeReading();
  }

  #replay(): void {
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    this.#channels.clear();
    this.#isReplaying = true;
    for (const { type, channel, buffer } of held) {
      this.#host.frame(type, channel, buffer, HEADER_BYTES, buffer.length - 1);
    }
    this.#isReplaying = false;
  }

  #comeAgain(): true {
    if (!this.#isReadingHeld) {
      this.#isReadingHeld = true;
      this.#host.holdReading(true);
    }
    return true;
  }

  #hold(type: number, channel: number, buffer: Buffer, start: number, end: number): void {
    const copy = Buffer.from(buffer.subarray(start - HEADER_BYTES, end + 1));
    this.#held.push({ type, channel, buffer: copy });
    this.#heldBytes += copy.length;
    if (this.#heldBytes <= this.#heldBytesMax || this.#isReadingHeld) return;
    this.#isReadingHeld = true;
    this.#host.holdReading(false);
  }
}
