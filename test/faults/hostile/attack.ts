/** A peer that does one thing that it should not, or too much of one. */
export interface Attack {
  /** What it does, in a few words: its row in the table. */
  readonly name: string;
  /** The reply codes it may be refused with; another one is a fault of the broker's. */
  readonly refusals: readonly number[];
  /** What it needs of its broker. */
  readonly broker?: BrokerNeeds;
  /** Whether it brings about an alarm, so that publishers wait: by design, and all of them. */
  readonly raisesAlarm?: boolean;
  /** Goes on until `scene.isOver`, and then lets go. */
  run(scene: Scene): Promise<void>;
}

/** How a broker has to be started for an attack. */
export interface BrokerNeeds {
  readonly channelsMax?: number;
  /** Octets of messages in memory above which publishers wait. */
  readonly memoryBytes?: number;
  /** Octets that the disk seems to have, of which a tenth has to be left. */
  readonly diskBytes?: number;
  /** Patterns of policies that it has. */
  readonly policyPatterns?: readonly string[];
}

/** Where an attack takes place. */
export interface Scene {
  readonly port: number;
  readonly tlsPort: number;
  /** Whether the attack has gone on for long enough. */
  readonly isOver: boolean;
  /** Resolves when it has. */
  readonly over: Promise<void>;
  /** So many of something, fewer where the time is short; at least one. */
  many(count: number): number;
  /** Counts what was done, for the table. */
  count(what: string, times?: number): void;
  /** The broker has refused something. */
  refused(replyCode: number): void;
}

/** What an attack's process tells at its end. */
export interface AttackReport {
  readonly counts: Readonly<Record<string, number>>;
  /** How often it was refused with each code. */
  readonly refusals: Readonly<Record<number, number>>;
  /** What ended it before its time, if anything did. */
  readonly failure?: string;
}
