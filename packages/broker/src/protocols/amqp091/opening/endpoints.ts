import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { fromWire } from '@leveret/amqp';
import type { LogFields } from '../../../base/logger.js';
import { type Random, uniqueName } from '../../../base/random.js';

/** The two ends of a socket, as the system gives them. */
export interface SocketEnds {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly isEncrypted: boolean;
  readonly certificate: CertificateSummary | undefined;
}

/** What is told of a certificate: wire strings, as RabbitMQ writes them. */
export interface CertificateSummary {
  readonly subject: string;
  readonly issuer: string;
  readonly validity: string;
}

/** The two ends of a stream. */
export interface Endpoints {
  /** As RabbitMQ names connections: `127.0.0.1:50000 -> 127.0.0.1:5672`. */
  readonly name: string;
  /** Our address; empty, as the rest, for a stream that is no socket. */
  readonly host: string;
  /** Our port; 0 if there is none. */
  readonly port: number;
  readonly peerHost: string;
  readonly peerPort: number;
  readonly isEncrypted: boolean;
  /** Whether the peer is on this machine; one in this process is. */
  readonly isLoopback: boolean;
  /** The peer's, if it has shown one that is believed. */
  readonly certificate: CertificateSummary | undefined;
}

/**
 * The ends of a socket, whose peer has shown that certificate, if any; undefined for a stream that
 * is none, and so in this process.
 */
export function socketEnds(
  duplex: Duplex,
  certificate: CertificateSummary | undefined,
): SocketEnds | undefined {
  if (!(duplex instanceof Socket)) return undefined;
  const { localAddress = '', localPort = 0, remoteAddress = '', remotePort = 0 } = duplex;
  const isEncrypted = 'encrypted' in duplex;
  return { localAddress, localPort, remoteAddress, remotePort, isEncrypted, certificate };
}

/** Where a stream leads: that of a socket, or one in this process, with a name of its own. */
export function endpointsOf(ends: SocketEnds | undefined, random: Random): Endpoints {
  if (ends === undefined) {
    const name = uniqueName(random, 'stream');
    const nowhere = { host: '', port: 0, peerHost: '', peerPort: 0 };
    return { name, ...nowhere, isEncrypted: false, isLoopback: true, certificate: undefined };
  }
  const { localPort: port, remotePort: peerPort, isEncrypted, certificate } = ends;
  const host = plainAddress(ends.localAddress);
  const peerHost = plainAddress(ends.remoteAddress);
  const name = `${quoted(peerHost)}:${peerPort} -> ${quoted(host)}:${port}`;
  const isLoopback = peerHost === '::1' || peerHost.startsWith('127.');
  return { name, host, port, peerHost, peerPort, isEncrypted, isLoopback, certificate };
}

/** Who a peer is, for the log. */
export function peerFields({ name, certificate }: Endpoints): LogFields {
  return { connection: name, ...(certificate && { certificate: fromWire(certificate.subject) }) };
}

/** An address as the term RabbitMQ's events print: `{127,0,0,1}`, or eight numbers for IPv6. */
export function addressTerm(address: string): string {
  if (!isIPv6(address)) return address === '' ? '' : `{${address.replaceAll('.', ',')}}`;
  const [head = '', tail] = address.split('%')[0]!.split('::');
  const before = groups(head);
  const after = groups(tail ?? '');
  const missing = tail === undefined ? 0 : 8 - before.length - after.length;
  return `{${[...before, ...new Array<number>(missing).fill(0), ...after].join(',')}}`;
}

function groups(part: string): number[] {
  return part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
}

/** IPv4 that came by an IPv6 listener is still IPv4. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/, '');
}

function quoted(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}

function isIPv6(address: string): boolean {
  return address.includes(':');
}
