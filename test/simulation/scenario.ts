import type { BrokerAccess } from './traffic/broker-access.js';
import type { CheckOptions } from './traffic/model.js';

/**
 * What clients do to brokers on one disk, one after the other, and what has to be there when one
 * has ended and the next begins. Throws what is wrong.
 */
export interface Scenario {
  /** So many messages were published. */
  readonly published: number;
  /** Clients come to a broker; `life` counts brokers. */
  begin(broker: BrokerAccess, life: number): Promise<void>;
  /** Somebody does something. */
  step(): Promise<void>;
  /** Waits until the broker has taken in what everybody has sent. */
  barrier(): Promise<void>;
  /** Looks at what a broker has begun with. */
  check(broker: BrokerAccess, options: CheckOptions): Promise<void>;
}
