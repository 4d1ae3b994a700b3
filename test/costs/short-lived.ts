/**
 * Opens and closes connections or channels, one after the other, on a broker in this process, and
 * prints how many octets each has left behind when only young objects were collected meanwhile:
 *
 *     node --expose-gc test/dist/costs/short-lived.js connections|channels
 *
 * What has gone may still be held by something old that has gone as well. Then it is copied, and
 * stays until the whole heap is collected.
 */
import { getHeapSpaceStatistics } from 'node:v8';
import { Broker } from '@leveret/broker';
import { SilentPeer } from './silent-peer.js';

const WARM_UP = 500;
const MEASURED = 1_000;
/** How many there are between two collections. */
const OF_A_ROUND = 25;

const CLOSE = { replyCode: 200, replyText: '', classId: 0, methodId: 0 };

/** Opens and closes one, and then goes on. No promises: they would hold on to it, too. */
type OpenAndClose = (then: () => void) => void;

const broker = new Broker();

const connections: OpenAndClose = (then) => {
  const peer = new SilentPeer();
  broker.accept(peer);
  peer.greet();
  peer.say(0, 'connection.close', CLOSE);
  peer.once('finish', () => peer.push(null));
  peer.once('close', () => setImmediate(then));
};

function channelsOf(peer: SilentPeer): OpenAndClose {
  broker.accept(peer);
  peer.greet();
  return (then) => {
    peer.say(1, 'channel.close', CLOSE);
    peer.say(1, 'channel.open', { outOfBand: '' });
    // One turn to read it, and the end of that one.
    setImmediate(() => setImmediate(then));
    if (peer.writableEnded) throw new Error('the broker has closed the connection');
  };
}

function oldBytes(): number {
  const old = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space');
  return old!.space_used_size;
}

const openAndClose = process.argv[2] === 'channels' ? channelsOf(new SilentPeer()) : connections;
let done = 0;
let before = 0;

function next(): void {
  done++;
  if (done === WARM_UP) {
    gc!();
    before = oldBytes();
  } else if (done > WARM_UP && done % OF_A_ROUND === 0) {
    gc!({ type: 'minor' });
  }
  if (done < WARM_UP + MEASURED) openAndClose(next);
  else {
    const left = (oldBytes() - before) / MEASURED;
    if (broker.logins.failed > 0) throw new Error('the broker has let nobody in');
    process.stdout.write(JSON.stringify(left), () => process.exit());
  }
}

openAndClose(next);
