import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { Inbox } from './inbox.js';

/** A heartbeat frame: type 8, channel 0, size 0, frame end. */
const heartbeatFrame = Buffer.from([8, 0, 0, 0, 0, 0, 0, 0xce]);

/**
 * A stretch of network between a client and the broker: passes bytes on, can be cut, and sees the
 * heartbeats of an idle connection go by.
 */
export class Link {
  readonly #broker: URL;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Heartbeats that came from the broker, and from the client. */
  readonly brokerHeartbeats: Inbox<Buffer> = new Inbox();
  readonly clientHeartbeats: Inbox<Buffer> = new Inbox();

  private constructor(brokerUrl: string) {
    this.#broker = new URL(brokerUrl);
    this.#server = createServer((client) => this.#join(client));
  }

  /** Opens a link to the broker; after the test it lets no more connections through. */
  static async open(t: TestContext, brokerUrl: string): Promise<Link> {
    const link = new Link(brokerUrl);
    link.#server.listen(0, '127.0.0.1');
    await once(link.#server, 'listening');
    // What is still connected goes when its client closes, and not before: the order of hooks.
    t.after(() => {
      link.#server.close();
    });
    return link;
  }

  /** Where clients connect instead of to the broker. */
  get url(): string {
    const url = new URL(this.#broker);
    url.hostname = '127.0.0.1';
    url.port = String((this.#server.address() as AddressInfo).port); // a TCP server's address
    return url.href;
  }

  /** Breaks every connection; new ones are let through. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(client: Socket): void {
    const broker = connect(Number(this.#broker.port), this.#broker.hostname);
    for (const [from, to, heartbeats] of [
      [client, broker, this.clientHeartbeats],
      [broker, client, this.brokerHeartbeats],
    ] as const) {
      this.#sockets.add(from);
      from.on('data', (chunk) => {
        if (chunk.equals(heartbeatFrame)) heartbeats.put(chunk);
        to.write(chunk);
      });
      from.on('end', () => to.end());
      // A broken connection is what this is for; the other side learns by its own close.
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
  }
}
