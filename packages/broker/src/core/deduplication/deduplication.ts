import type { Deadlines } from '../../base/deadlines.js';
import type { Exchange } from '../exchange/exchange.js';
import type { Persistence } from '../persistence.js';
import type { RuledBacklog } from '../queue/backlog/ruled-backlog.js';
import type { Queue } from '../queue/queue.js';
import type { QueueSpec } from '../queue/queue-spec.js';
import type { TopologyChange } from '../topology.js';
import { ExchangeDeduplication } from './exchange-deduplication.js';
import type { KeyCount } from './key-count.js';
import { PresentKeys } from './present-keys.js';
import { QueueDeduplication } from './queue-deduplication.js';
import {
  type DeduplicationSettings,
  exchangeDeduplication,
  type QueueDeduplicationSettings,
} from './settings.js';
import { DeduplicationWindow } from './window.js';

/** What a window belongs to. */
export interface WindowOwner {
  readonly kind: 'queue' | 'exchange';
  readonly name: string;
}

/** What a queue or exchange that keeps duplicates out has to tell. */
export interface DeduplicationCount extends WindowOwner {
  /** How many keys it remembers. */
  readonly keys: number;
  /** How many duplicates it has kept out since the broker started, or it was declared. */
  readonly duplicates: number;
}

/** A window that survives the broker, and the number that stands for it on the disk. */
interface NumberedWindow extends WindowOwner {
  readonly number: number;
}

/**
 * The deduplication of a virtual host's queues and exchanges: makes it where arguments and policies
 * ask for it, and knows which chain of the journal each surviving window has.
 */
export class Deduplication {
  readonly #vhost: string;
  readonly #deadlines: Deadlines;
  readonly #persistence: Persistence;
  readonly #keys: KeyCount;
  readonly #numbered = new Map<string, NumberedWindow>();
  /** What has come to be before the broker is ready: its keys have to be loaded. */
  #unloaded: (QueueDeduplication | ExchangeDeduplication)[] = [];
  /** While the topology is being put back nothing is made: numbers may still come. */
  #isOpen: boolean;

  #duplicates = 0;

  constructor(
    vhost: string,
    ports: {
      readonly deadlines: Deadlines;
      readonly persistence: Persistence;
      readonly keys: KeyCount;
    },
  ) {
    this.#vhost = vhost;
    this.#deadlines = ports.deadlines;
    this.#persistence = ports.persistence;
    this.#keys = ports.keys;
    this.#isOpen = !ports.persistence.isRestoring;
  }

  /**
   * How many duplicates have been kept out in all. What a duplicate repeats may not be on the disk
   * yet: whoever sees this grow tells its publisher only when everything is that was asked for.
   */
  get duplicates(): number {
    return this.#duplicates;
  }

  readonly #keptOut = (): void => {
    this.#duplicates++;
  };

  /** The topology is back. Queues and exchanges have to be asked anew then. */
  open(): void {
    this.#isOpen = true;
  }

  /** Brings back the keys from before the broker started. */
  async load(): Promise<void> {
    const unloaded = this.#unloaded;
    this.#unloaded = [];
    for (const each of unloaded) await each.load();
  }

  /** What keeps duplicates out of a queue by its settings; what it has, if that will do. */
  ofQueue(
    spec: QueueSpec,
    settings: QueueDeduplicationSettings | undefined,
    rules: RuledBacklog,
  ): QueueDeduplication | undefined {
    const current = rules.deduplication;
    if (settings !== undefined && current?.fits(settings)) {
      current.apply(settings);
      return current;
    }
    current?.end();
    if (settings === undefined || !this.#isOpen) return undefined;
    const owner: WindowOwner = { kind: 'queue', name: spec.name };
    const memory = settings.whilePresent
      ? new PresentKeys(rules, this.#keys)
      : this.#window(owner, spec.durable, settings);
    return this.#toLoad(
      new QueueDeduplication(spec.name, settings, memory, {
        keptOut: this.#keptOut,
        ended: () => this.#ended(owner),
      }),
    );
  }

  /** Sees to it that an exchange holds back what its arguments and policy say. */
  govern(exchange: Exchange): void {
    const { spec, policy, deduplication } = exchange;
    const settings = exchangeDeduplication(spec.type, spec.arguments, policy?.definition);
    if (settings === undefined) {
      this.end(exchange);
    } else if (deduplication !== undefined) {
      deduplication.apply(settings);
    } else if (this.#isOpen) {
      const owner: WindowOwner = { kind: 'exchange', name: spec.name };
      const window = this.#window(owner, spec.durable, settings);
      exchange.deduplication = this.#toLoad(
        new ExchangeDeduplication(settings, window, this.#keptOut),
      );
    }
  }

  /** An exchange has gone, or lets duplicates pass from now on. */
  end(exchange: Exchange): void {
    if (exchange.deduplication === undefined) return;
    exchange.deduplication.end();
    exchange.deduplication = undefined;
    this.#ended({ kind: 'exchange', name: exchange.name });
  }

  /** What deduplicates, and how much it has kept out. */
  *list(queues: Iterable<Queue>, exchanges: Iterable<Exchange>): Generator<DeduplicationCount> {
    for (const each of [...queues, ...exchanges]) {
      if (each.deduplication === undefined) continue;
      const { size: keys, duplicates } = each.deduplication;
      yield { kind: each.kind, name: each.name, keys, duplicates };
    }
  }

  /** Windows that survive the broker, as changes that make them. */
  *topology(): Generator<TopologyChange> {
    for (const window of this.#numbered.values()) {
      yield { what: 'window', vhost: this.#vhost, ...window };
    }
  }

  /** A window was there, or had ended, before the broker started. */
  restore({
    what,
    kind,
    name,
    number,
  }: TopologyChange & { what: 'window' | 'window-ended' }): void {
    if (what === 'window') this.#numbered.set(idOf({ kind, name }), { kind, name, number });
    else this.#numbered.delete(idOf({ kind, name }));
  }

  #window(
    owner: WindowOwner,
    durable: boolean,
    settings: DeduplicationSettings,
  ): DeduplicationWindow {
    const store = durable ? this.#persistence.openWindow(this.#numberOf(owner)) : undefined;
    return new DeduplicationWindow(settings, this.#deadlines, this.#keys, store);
  }

  #numberOf({ kind, name }: WindowOwner): number {
    const id = idOf({ kind, name });
    const known = this.#numbered.get(id);
    if (known !== undefined) return known.number;
    const window = { kind, name, number: this.#persistence.newQueueNumber() };
    this.#numbered.set(id, window);
    this.#persistence.record({ what: 'window', vhost: this.#vhost, ...window });
    return window.number;
  }

  #ended(owner: WindowOwner): void {
    const window = this.#numbered.get(idOf(owner));
    if (window === undefined) return;
    this.#numbered.delete(idOf(owner));
    this.#persistence.record({ what: 'window-ended', vhost: this.#vhost, ...window });
  }

  #toLoad<D extends QueueDeduplication | ExchangeDeduplication>(deduplication: D): D {
    if (this.#persistence.isRestoring) this.#unloaded.push(deduplication);
    return deduplication;
  }
}

function idOf({ kind, name }: WindowOwner): string {
  return `${kind} ${name}`;
}
