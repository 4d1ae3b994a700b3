import { type FrameEvents, FrameScanner } from './frame-scanner.js';
import { RawPeer, type Target } from './raw-peer.js';

/** The connections of one measurement: they fail together and are closed together. */
export class Peers {
  readonly #target: Target;
  readonly #open = new Set<RawPeer>();
  #fail: (error: Error) => void = () => {};
  /** Rejects when a connection breaks or the broker closes one. */
  readonly failure: Promise<never>;

  constructor(target: Target) {
    this.#target = target;
    this.failure = new Promise((_, reject) => {
      this.#fail = reject;
    });
    // Whoever races it hears of it; if nobody does any more, it no longer matters.
    this.failure.catch(() => {});
  }

  async open(): Promise<RawPeer> {
    const peer = await RawPeer.open(this.#target, this.#fail);
    this.#open.add(peer);
    return peer;
  }

  /** Has `events` told of everything that comes; `afterChunk` follows each chunk. */
  scan(peer: RawPeer, events: FrameEvents, afterChunk: () => void = () => {}): void {
    // RabbitMQ leaves it to its peer to close the socket, and waits for half a minute.
    const scanner = new FrameScanner({ ...events, closed: () => peer.socket.destroy() });
    peer.stream((chunk) => {
      try {
        scanner.take(chunk);
        afterChunk();
      } catch (error) {
        this.#fail(error instanceof Error ? error : new Error(String(error)));
      }
    });
    peer.socket.once('close', () => {
      if (this.#open.has(peer)) this.#fail(new Error('the broker dropped a connection'));
    });
  }

  /** Closes a connection once the broker has done all that was asked for over it. */
  async finish(peer: RawPeer): Promise<void> {
    this.#open.delete(peer);
    const closed = new Promise<void>((resolve) => peer.socket.once('close', () => resolve()));
    peer.sendClose();
    await closed;
  }

  close(peer: RawPeer): void {
    this.#open.delete(peer);
    peer.socket.destroy();
  }

  closeAll(): void {
    for (const peer of this.#open) this.close(peer);
  }
}
