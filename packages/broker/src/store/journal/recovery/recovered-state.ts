import { FreeChunks, LocationTable, MEMORY_ONLY, NOWHERE, UNKNOWN } from '../../location-table.js';
import type { Remembered } from '../../message-store.js';
import type { VisitEntry } from '../file-index.js';
import { type JournalFile, locationOf, newJournalFile, slotOf } from '../journal-file.js';
import type { Operation, PublishOperation } from '../operations.js';

/** A chain as the journal has left it. */
export interface RecoveredChain {
  readonly locations: LocationTable;
  /** Positions below this may have been delivered. */
  reserved: number;
  /** What there is to remember of messages besides themselves; of most there is nothing. */
  readonly remembered: Map<number, Remembered>;
}

const NOTHING_REMEMBERED: Remembered = { expiresAt: 0, returns: 0, retryAt: 0 };

/** Which chains a topology change ends, if any; the store does not know what changes mean. */
export type ChainsEndedBy = (change: unknown) => ((chain: number) => boolean) | undefined;

/**
 * What a journal's operations add up to: the topology, what is alive in each chain and where it
 * lies, and how much of each file is needed. It is told of them in order, and knows no disk.
 */
export class RecoveredState {
  readonly chains: Map<number, RecoveredChain> = new Map();
  /** Changes that make the topology what it was, from nothing, in order. */
  readonly topology: unknown[] = [];
  /** By slot. */
  readonly #files = new Map<number, JournalFile>();
  readonly #chainsEndedBy: ChainsEndedBy;
  readonly #freeChunks = new FreeChunks();

  constructor(chainsEndedBy: ChainsEndedBy) {
    this.#chainsEndedBy = chainsEndedBy;
  }

  get files(): readonly JournalFile[] {
    return [...this.#files.values()];
  }

  /** A file has been found; nothing in it is alive as far as is known. */
  addFile(file: Pick<JournalFile, 'number' | 'path' | 'seed' | 'bytes'>): JournalFile {
    const slot = this.#files.size + 1;
    const added = newJournalFile({ ...file, slot, written: file.bytes });
    this.#files.set(added.slot, added);
    return added;
  }

  /** Goes by an operation, in order; `location` is where it lies. */
  apply(operation: Operation, location: number): void {
    switch (operation.kind) {
      case 'publish':
        this.#publish(operation, location);
        break;
      case 'remove':
        this.#remove(operation.chain, operation.from, operation.count);
        break;
      case 'reserve': {
        const chain = this.#chain(operation.chain);
        chain.reserved = operation.below;
        break;
      }
      case 'returns': {
        const { returns, retryAt } = operation;
        this.#remember(operation.chain, operation.position, { returns, retryAt });
        break;
      }
      case 'topology':
        this.#change(operation.change);
        break;
      case 'chain': {
        const chain = this.#chain(operation.chain);
        chain.reserved = operation.reserved;
        chain.locations.skipTo(operation.next);
        for (const { from, count } of operation.live) {
          chain.locations.expect(from, count);
        }
        for (const { from, count } of operation.returned) {
          this.#remember(operation.chain, from, { returns: count });
        }
        break;
      }
      case 'snapshot':
        break;
    }
  }

  #publish(operation: PublishOperation, location: number): void {
    if (operation.transient) return;
    const { bodyBytes } = operation;
    for (const { chain, position, expiresAt } of operation.placements) {
      const { locations } = this.#chain(chain);
      if (position >= locations.next) {
        locations.skipTo(position);
        locations.push(location, bodyBytes);
      } else if (locations.get(position) !== NOWHERE) {
        this.#countOut(locations.get(position));
        locations.restore(position, location, bodyBytes);
      } else {
        // Told again after a failed write, and gone in the meantime.
        continue;
      }
      this.#countIn(location);
      if (expiresAt > 0) this.#remember(chain, position, { expiresAt });
    }
  }

  #remember(chain: number, position: number, fact: Partial<Remembered>): void {
    const { remembered } = this.#chain(chain);
    remembered.set(position, { ...NOTHING_REMEMBERED, ...remembered.get(position), ...fact });
  }

  #remove(chainNumber: number, from: number, count: number): void {
    const chain = this.chains.get(chainNumber);
    if (chain === undefined) return;
    for (let position = from; position < from + count; position++) {
      this.#countOut(chain.locations.delete(position));
      if (chain.remembered.size > 0) chain.remembered.delete(position);
    }
  }

  #change(change: unknown): void {
    this.topology.push(change);
    const isEnded = this.#chainsEndedBy(change);
    if (isEnded === undefined) return;
    for (const [number, chain] of this.chains) {
      if (!isEnded(number)) continue;
      chain.locations.forEach((_position, location) => this.#countOut(location));
      this.chains.delete(number);
    }
  }

  /** Messages lie in an earlier file: they are news if nobody knows yet where they are. */
  locate(file: JournalFile, forEach: (visit: VisitEntry) => void): void {
    const { slot, bytes } = file;
    let placed = 0;
    let live = 0;
    forEach((chain, position, offset, bodyBytes, expiresAt) => {
      placed++;
      const locations = this.chains.get(chain)?.locations;
      if (locations === undefined || offset >= bytes) return;
      if (!locations.find(position, locationOf(slot, offset), bodyBytes)) return;
      live++;
      if (expiresAt > 0) this.#remember(chain, position, { expiresAt });
    });
    file.placed += placed;
    file.live += live;
  }

  /** Empties the positions whose messages have not been found; returns how many there are. */
  dropLost(): number {
    let lost = 0;
    for (const { locations } of this.chains.values()) {
      locations.forEach((position, location) => {
        if (location !== UNKNOWN && location !== MEMORY_ONLY) return;
        locations.delete(position);
        lost++;
      });
    }
    return lost;
  }

  /** A position below a reservation counts as delivered: none is given to another message. */
  passReservations(): void {
    for (const { locations, reserved } of this.chains.values()) locations.skipTo(reserved);
  }

  #countIn(location: number): void {
    const file = this.#files.get(slotOf(location));
    if (file === undefined) return;
    file.placed++;
    file.live++;
  }

  #countOut(location: number): void {
    if (location <= 0) return;
    const file = this.#files.get(slotOf(location));
    if (file !== undefined) file.live--;
  }

  /** The state of a chain, which comes into being with its first message. */
  #chain(number: number): RecoveredChain {
    let chain = this.chains.get(number);
    if (chain === undefined) {
      const locations = new LocationTable(0, this.#freeChunks);
      chain = { locations, reserved: 0, remembered: new Map() };
      this.chains.set(number, chain);
    }
    return chain;
  }
}
