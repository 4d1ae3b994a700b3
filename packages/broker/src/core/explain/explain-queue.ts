import { deadLetter } from '../dead-letter/dead-letter.js';
import type { DeathReason } from '../dead-letter/deaths.js';
import type { Message } from '../message.js';
import type { Governing } from '../policy/governance.js';
import type { Queue } from '../queue/queue.js';
import type { DeadLetterExplanation, QueueExplanation } from './explanation.js';

/** How a message has come to a queue, and what governs it there. */
interface Circumstances extends Governing {
  readonly isCertain: boolean;
}

/** Names of the queues that a message gets to from the exchange of that name. */
type Reached = (exchange: string, message: Message) => readonly string[];

/** Says what a queue would do with a message. */
export function explainQueue(
  queue: Queue,
  message: Message,
  { isCertain, policy, operatorPolicy }: Circumstances,
  reached: Reached,
): QueueExplanation {
  const fate = fateOf(queue, message);
  const { messageTtlMilliseconds: ttl } = queue.settings;
  const { expirationMilliseconds: own } = message;
  const expires = own < 0 ? ttl : Math.min(own, ttl ?? own);
  return {
    name: queue.name,
    action: fate.action,
    why: fate.why,
    isCertain,
    deadLetter: fate.dies && letterOf(queue, message, fate.dies, reached),
    expiresInMilliseconds:
      fate.action === 'reject' || fate.action === 'keep-out' ? undefined : expires,
    ready: queue.messageCount,
    consumers: queue.consumerCount,
    survives: queue.spec.durable && message.persistent,
    policy: policy?.name,
    operatorPolicy: operatorPolicy?.name,
  };
}

interface Fate extends Pick<QueueExplanation, 'action' | 'why'> {
  /** What dies of it, if anything goes to the dead-letter exchange. */
  readonly dies?: DeathReason | undefined;
}

/** In the order in which a queue looks at these things. */
function fateOf(queue: Queue, message: Message): Fate {
  const { deduplication, settings } = queue;
  const { bodyBytes } = message;
  const key = deduplication?.keyOf(message);
  if (key !== undefined && deduplication?.isDuplicate(key)) {
    const dies = deduplication.settings.deadLetters ? 'duplicate' : undefined;
    const why = deduplication.settings.whilePresent
      ? 'a message with the same key is in the queue'
      : 'a message with the same key has been here';
    return { action: 'keep-out', why, dies };
  }
  const limits = `it has ${queue.messageCount} messages, ${limitsOf(queue)}`;
  if (queue.wouldRefuse(1, bodyBytes)) {
    const dies = settings.overflow === 'reject-publish-dlx' ? 'maxlen' : undefined;
    return { action: 'reject', why: `it is full: ${limits}`, dies };
  }
  if (queue.wouldDropHead(bodyBytes)) {
    return { action: 'drop-head', why: `it is full: ${limits}`, dies: 'maxlen' };
  }
  const { consumerCount: consumers } = queue;
  return {
    action: 'accept',
    why: consumers === 0 ? 'nobody consumes it' : `${consumers} consume it`,
  };
}

function limitsOf({ settings: { maxLength, maxLengthBytes } }: Queue): string {
  const limits = [
    maxLength === undefined ? undefined : `the limit is ${maxLength}`,
    maxLengthBytes === undefined ? undefined : `the limit is ${maxLengthBytes} octets`,
  ];
  return limits.filter((limit) => limit !== undefined).join(' and ');
}

function letterOf(
  queue: Queue,
  message: Message,
  reason: DeathReason,
  reached: Reached,
): DeadLetterExplanation | undefined {
  const { deadLetterExchange: exchange, deadLetterRoutingKey: routingKey } = queue.settings;
  if (exchange === undefined) return undefined;
  const address = { queue: queue.name, exchange, routingKey };
  const letter = deadLetter(message, reason, address, 0).message;
  return { exchange, routingKey: letter.routingKey, queues: reached(exchange, letter) };
}
