import assert from 'node:assert/strict';
import type { BasicProperties, FieldTable } from '@leveret/amqp';
import { Message } from './message.js';

const NO_HEADERS: FieldTable = new Map();

/** A message of no protocol: a label, and an account of who holds it. */
export class TestMessage extends Message {
  readonly label: string;
  readonly table: FieldTable;
  /** Whether this is the copy that outlives the publish. */
  readonly isKept: boolean;
  /** Of a kept message: how many hold it. */
  holders = 0;
  /** Of a kept message: whether all who held it have let go. */
  isGone = false;
  #kept: TestMessage | undefined;

  /** The property, in milliseconds. */
  readonly expiration: string | undefined;

  constructor(label: string, table: FieldTable = NO_HEADERS, isKept = false, expiration?: string) {
    super();
    this.label = label;
    this.table = table;
    this.isKept = isKept;
    this.expiration = expiration;
    if (expiration !== undefined) this.expirationMilliseconds = Number(expiration);
  }

  /** The copy that a publish made, if it made one. */
  get kept(): TestMessage | undefined {
    return this.#kept;
  }

  get bodyBytes(): number {
    return this.label.length;
  }

  headers(): FieldTable {
    return this.table;
  }

  properties(): BasicProperties {
    const { expiration } = this;
    return { headers: this.table, ...(expiration === undefined ? {} : { expiration }) };
  }

  body(): Buffer {
    return Buffer.from(this.label);
  }

  withProperties(properties: BasicProperties): TestMessage {
    const message = this.readdressed(this.exchange, this.routingKey, properties);
    message.extraRoutingKeys = this.extraRoutingKeys;
    return message;
  }

  readdressed(exchange: string, routingKey: string, properties: BasicProperties): TestMessage {
    const { headers, expiration } = properties;
    const message = new TestMessage(this.label, headers, false, expiration);
    message.exchange = exchange;
    message.routingKey = routingKey;
    message.priority = this.priority;
    message.persistent = this.persistent;
    return message;
  }

  keep(): TestMessage {
    if (this.isKept) return this;
    if (this.#kept === undefined || this.#kept.isGone) {
      this.#kept = new TestMessage(this.label, this.table, true, this.expiration);
      this.#kept.exchange = this.exchange;
      this.#kept.routingKey = this.routingKey;
      this.#kept.priority = this.priority;
      this.#kept.persistent = this.persistent;
      this.#kept.extraRoutingKeys = this.extraRoutingKeys;
    }
    return this.#kept;
  }

  retain(): void {
    assert.ok(this.isKept, 'a borrowed message was retained');
    this.holders++;
  }

  release(): void {
    assert.ok(this.holders > 0, 'released more often than retained');
    this.holders--;
    this.isGone = this.holders === 0;
  }

  readonly format: number = 0;

  get storedBytes(): number {
    return Buffer.byteLength(this.label);
  }

  writeTo(buffer: Buffer, at: number): void {
    buffer.write(this.label, at);
  }

  compact(): void {}
}

/** A message for an exchange that routes by key. */
export function messageFor(routingKey: string, label: string = routingKey): TestMessage {
  const message = new TestMessage(label);
  message.routingKey = routingKey;
  return message;
}
