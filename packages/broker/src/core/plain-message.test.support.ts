import type { BasicProperties, FieldTable } from '@leveret/amqp';
import { Message } from './message.js';

/** A message without a protocol: what routing and queueing see of one, and who holds it. */
export class PlainMessage extends Message {
  /** How many hold it. */
  holders = 0;
  readonly #properties: BasicProperties;
  readonly #body: string;

  constructor(routingKey: string, properties: BasicProperties = {}, body: string = routingKey) {
    super();
    this.routingKey = routingKey;
    this.#properties = properties;
    this.#body = body;
  }

  get bodyBytes(): number {
    return this.#body.length;
  }

  headers(): FieldTable {
    return this.#properties.headers ?? new Map();
  }

  properties(): BasicProperties {
    return this.#properties;
  }

  body(): Buffer {
    return Buffer.from(this.#body);
  }

  keep(): this {
    return this;
  }

  retain(): void {
    this.holders++;
  }

  release(): void {
    this.holders--;
  }

  compact(): void {}
}
