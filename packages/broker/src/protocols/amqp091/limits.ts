/** What one AMQP 0-9-1 connection may ask for; each limit answers with the error named. */
export interface ConnectionLimits {
  /** Channels open at a time on a connection, 1 to 65,535. More: connection.close 530. */
  readonly channelsMax: number;
  /** Size of a frame offered in connection.tune, in octets, 4,096 and up. Larger frames: 501. */
  readonly frameBytesMax: number;
  /** Size of a message body, in octets. Larger: channel.close 406. */
  readonly messageBytesMax: number;
  /** Heartbeat interval offered in connection.tune, in seconds; 0 for none. */
  readonly heartbeatSeconds: number;
  /**
   * Time from the first octet to connection.open-ok, in milliseconds. Longer: the socket is closed.
   */
  readonly handshakeMilliseconds: number;
  /**
   * Peers that are in their handshake at a time, and as many in that of TLS. One more: the one that
   * has been at it longest is cut off.
   */
  readonly handshakesMax: number;
  /** Time a refused peer waits for the socket to be closed, so that guessing is slow, in ms. */
  readonly refusalMilliseconds: number;
  /** Time a peer has to answer connection.close before its socket is cut, in milliseconds. */
  readonly closeMilliseconds: number;
  /** Replies waiting for a peer that does not read, in octets; above it we stop reading from it. */
  readonly outputBytesMax: number;
  /**
   * What a connection publishes while the broker is short of memory or disk, and which it keeps for
   * it to go on acknowledging, in octets; above it we stop reading from it.
   */
  readonly blockedBytesMax: number;
  /** Consumers on a channel. More: connection.close 530. */
  readonly consumersPerChannelMax: number;
  /**
   * Deliveries of a channel that wait for their acknowledgement. With so many its consumers get
   * nothing more until it acknowledges some, as with a prefetch; basic.get: channel.close 406.
   */
  readonly unackedPerChannelMax: number;
  /**
   * Publishes and acknowledgements of a channel that wait for tx.commit. More: channel.close 406,
   * and nothing of the transaction happens.
   */
  readonly stagedPerChannelMax: number;
}

/** RabbitMQ's values, where it has one. */
export const CONNECTION_LIMITS: ConnectionLimits = {
  channelsMax: 2_047,
  frameBytesMax: 131_072,
  messageBytesMax: 134_217_728,
  heartbeatSeconds: 60,
  handshakeMilliseconds: 10_000,
  handshakesMax: 8_192,
  refusalMilliseconds: 3_000,
  closeMilliseconds: 10_000,
  outputBytesMax: 4_194_304,
  blockedBytesMax: 262_144,
  consumersPerChannelMax: 65_536,
  unackedPerChannelMax: 1_000_000,
  stagedPerChannelMax: 1_000_000,
};
