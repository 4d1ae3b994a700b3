import { ConfirmLedger } from './confirm-ledger.js';
import type { Peers } from './peers.js';
import type { PublishCycle } from './publish-cycle.js';
import type { RawPeer } from './raw-peer.js';

export interface PublisherPorts {
  /** Publishes that may be unconfirmed; 0: no confirms are asked for. */
  readonly window: number;
  /** Without confirms, it does not bother to publish fewer than this. */
  readonly least: number;
  /** How many more may be published, whatever the window says. */
  room(): number;
  /** Told after confirms have come. */
  confirmed?(): void;
}

/** Publishes for as long as it is not stopped and there is room. */
export class Publisher {
  readonly cycle: PublishCycle;
  readonly confirmed: ConfirmLedger = new ConfirmLedger();
  readonly #peer: RawPeer;
  readonly #ports: PublisherPorts;
  #isFull = false;
  #isStopped = true;

  constructor(peer: RawPeer, cycle: PublishCycle, ports: PublisherPorts) {
    this.#peer = peer;
    this.cycle = cycle;
    this.#ports = ports;
  }

  start(peers: Peers): void {
    this.#isStopped = false;
    if (this.#ports.window > 0) this.#peer.send(1, 'confirm.select', { nowait: true });
    const confirm = this.confirmed.take.bind(this.confirmed);
    peers.scan(this.#peer, { confirm }, () => {
      this.#ports.confirmed?.();
      this.more();
    });
    this.#peer.socket.on('drain', () => {
      this.#isFull = false;
      this.more();
    });
    this.more();
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** Publishes as many as there is room for. */
  more(): void {
    let room = this.#room();
    if (this.#ports.window === 0 && room < this.#ports.least) return;
    while (room > 0 && !this.#isFull && !this.#isStopped) {
      this.#isFull = !this.#peer.socket.write(this.cycle.take(room));
      room = this.#room();
    }
  }

  #room(): number {
    const { window } = this.#ports;
    const room = this.#ports.room();
    if (window === 0) return room;
    return Math.min(window - this.cycle.published + this.confirmed.count, room);
  }
}
