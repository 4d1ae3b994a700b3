import {
  composeMessage,
  FifoBacklog,
  MemoryStore,
  type Message,
  SlabAllocator,
  Turn,
} from '@leveret/broker/measured';
import { bench, do_not_optimize, group } from 'mitata';

/** How many messages wait in the queue that is not empty. */
const WAITING = 100_000;

/** A turn of the event loop ends after so many: then memory is used again. */
const TURN_MESSAGES = 500;

/** Runs something often, in turns. */
function inTurns(each: () => void, endTurn: () => void): () => void {
  let count = 0;
  return () => {
    each();
    if (++count % TURN_MESSAGES === 0) endTurn();
  };
}

export function queue(): void {
  group('a message through a queue', () => {
    const due: (() => void)[] = [];
    const turn = new Turn((action) => due.push(action));
    const endTurn = (): void => due.pop()?.();
    for (const bodyBytes of [16, 1_024]) {
      const slabs = new SlabAllocator(turn);
      const parts = { exchange: '', routingKey: 'orders', properties: {} };
      const message = composeMessage(slabs, { ...parts, body: Buffer.alloc(bodyBytes) });
      const keep = (): void => {
        message.renew();
        const kept = message.keep();
        kept.retain();
        kept.release();
      };
      bench(`keep ${bodyBytes} octets, and let go of them`, inTurns(keep, endTurn));
      for (const waiting of [0, WAITING]) {
        const backlog = new FifoBacklog(new MemoryStore<Message>());
        const append = (): void => {
          message.renew();
          backlog.append(message.keep());
        };
        const through = (): void => {
          append();
          const position = backlog.take();
          do_not_optimize(backlog.read(position));
          backlog.remove(position);
        };
        for (let at = 0; at < waiting; at++) append();
        const others = waiting.toLocaleString('en');
        const name = `append, take and remove ${bodyBytes} octets behind ${others} others`;
        bench(name, inTurns(through, endTurn));
      }
    }
  });
}
