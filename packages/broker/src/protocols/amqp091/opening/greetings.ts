import { encodeMethodFrame, type FieldTable } from '@leveret/amqp';
import type { ConnectionLimits } from '../limits.js';
import { type ServerProperties, serverPropertiesTable } from './server-properties.js';

/** What every peer is told in its handshake: frames made once, for they are the same for all. */
export class Greetings {
  readonly tune: Buffer;
  readonly #serverProperties: FieldTable;
  /** By the mechanisms they offer. */
  readonly #starts = new Map<string, Buffer>();

  constructor(serverProperties: ServerProperties, limits: ConnectionLimits) {
    this.#serverProperties = serverPropertiesTable(serverProperties);
    this.tune = encodeMethodFrame(0, 'connection.tune', {
      channelMax: limits.channelsMax,
      frameMax: limits.frameBytesMax,
      heartbeat: limits.heartbeatSeconds,
    });
  }

  /** A connection.start that offers these mechanisms, of which there are few combinations. */
  start(mechanisms: string): Buffer {
    let frame = this.#starts.get(mechanisms);
    if (frame === undefined) {
      frame = encodeMethodFrame(0, 'connection.start', {
        versionMajor: 0,
        versionMinor: 9,
        serverProperties: this.#serverProperties,
        mechanisms,
        locales: 'en_US',
      });
      this.#starts.set(mechanisms, frame);
    }
    return frame;
  }
}
