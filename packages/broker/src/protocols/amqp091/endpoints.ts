import { isIPv6, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Random, uniqueName } from '../../base/random.js';

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
}

/** Where a stream leads. One that is no socket gets a name of its own. */
export function endpointsOf(duplex: Duplex, random: Random): Endpoints {
  if (!(duplex instanceof Socket) || duplex.remotePort === undefined) {
    const name = uniqueName(random, 'stream');
    return { name, host: '', port: 0, peerHost: '', peerPort: 0, isEncrypted: false };
  }
  const host = plainAddress(duplex.localAddress);
  const peerHost = plainAddress(duplex.remoteAddress);
  const port = duplex.localPort ?? 0;
  const peerPort = duplex.remotePort;
  const name = `${quoted(peerHost)}:${peerPort} -> ${quoted(host)}:${port}`;
  return { name, host, port, peerHost, peerPort, isEncrypted: 'encrypted' in duplex };
}

/**
 * An address as the term RabbitMQ's events print: `{127,0,0,1}`, or eight numbers for IPv6.
 */
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
function plainAddress(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.)/, '');
}

function quoted(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}
