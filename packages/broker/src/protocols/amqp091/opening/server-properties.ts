import { type FieldTable, toFieldTable } from '@leveret/amqp';

/** What the broker says of itself in connection.start. */
export interface ServerProperties {
  /** Programs switch behaviour on these two, so the default is a RabbitMQ they know. */
  readonly product: string;
  readonly version: string;
  readonly platform: string;
  readonly information: string;
  readonly copyright: string;
  readonly clusterName: string;
}

/** RabbitMQ's name and a version of it that clients know well; our own beside it. */
export const SERVER_PROPERTIES: ServerProperties = {
  product: 'RabbitMQ',
  version: '3.13.7',
  platform: `Leveret 0.1.0 on Node.js ${process.versions.node}`,
  information: 'Leveret 0.1.0, a message broker that speaks AMQP 0-9-1 as RabbitMQ does',
  copyright: 'The Leveret authors. Licensed under the Apache License 2.0.',
  clusterName: 'leveret@localhost',
};

/** What a client may rely on. */
const CAPABILITIES = {
  publisher_confirms: true,
  exchange_exchange_bindings: true,
  'basic.nack': true,
  consumer_cancel_notify: true,
  'connection.blocked': true,
  consumer_priorities: true,
  authentication_failure_close: true,
  per_consumer_qos: true,
  direct_reply_to: true,
};

/** The field table of connection.start. */
export function serverPropertiesTable(properties: ServerProperties): FieldTable {
  return toFieldTable({
    capabilities: CAPABILITIES,
    cluster_name: properties.clusterName,
    copyright: properties.copyright,
    information: properties.information,
    platform: properties.platform,
    product: properties.product,
    version: properties.version,
  });
}
