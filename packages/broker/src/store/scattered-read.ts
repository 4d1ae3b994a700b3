import type { Storable } from './journal/chain.js';
import { READ_BYTES, type ReadMessage } from './journal/journal-reader.js';

/** Messages with no more between them are read together, in octets. */
const GAP_BYTES_MAX = 65_536;
/** What is read beyond where the last message begins; if it is longer it is read by itself. */
const TAIL_BYTES = 4_096;
/** How many reads are under way at once: the journal's writes wait behind them for a thread. */
const READS_MAX = 2;

/** Where scattered messages are, and what becomes of them. */
export interface ScatteredPlaces {
  /** Where a message lies that is in the journal alone; 0 if it does not. */
  placeOf(position: number): number;
  /** Reads so many octets from a place on, see Journal. */
  readFrom(place: number, then: (read: ReadMessage | undefined) => void, bytes: number): void;
  take(position: number, message: Storable): void;
  /** It cannot be read. */
  lose(position: number): void;
}

/** Neighbours, in order of place, which are read together. */
interface Run {
  readonly positions: number[];
  readonly places: number[];
}

/**
 * Reads messages that are anywhere in the journal: neighbours with one read, and no more than a few
 * reads at once.
 */
export function readScattered(
  positions: readonly number[],
  places: ScatteredPlaces,
  then: () => void,
): void {
  const runs = runsOf(positions, places);
  let reading = 0;
  const readOn = (): void => {
    while (reading < READS_MAX && runs.length > 0) {
      const run = runs.pop()!;
      const first = run.places[0]!;
      const bytes = run.places.at(-1)! - first + TAIL_BYTES;
      reading++;
      const came = (read: ReadMessage | undefined): void => {
        reading--;
        takeRun(run, read, places, runs);
        readOn();
      };
      places.readFrom(first, came, bytes);
    }
    if (reading === 0 && runs.length === 0) then();
  };
  readOn();
}

/** Takes what has come of a run, and adds to `runs` what has to be read by itself. */
function takeRun(
  run: Run,
  read: ReadMessage | undefined,
  places: ScatteredPlaces,
  runs: Run[],
): void {
  for (const [i, position] of run.positions.entries()) {
    const place = places.placeOf(position);
    if (place === 0) continue;
    const isMoved = place !== run.places[i];
    const message = isMoved ? undefined : read?.(place);
    if (message !== undefined) places.take(position, message);
    else if (i === 0 && !isMoved) places.lose(position);
    else runs.push({ positions: [position], places: [place] });
  }
}

/** Neighbours together. */
function runsOf(positions: readonly number[], wanted: ScatteredPlaces): Run[] {
  const runs: Run[] = [];
  let run: Run | undefined;
  let last = 0;
  // What follows another in its chain most often does so on the disk, and numbers sort quickly.
  for (const position of Float64Array.from(positions).sort()) {
    const place = wanted.placeOf(position);
    if (place === 0) continue;
    const first = run?.places[0] ?? 0;
    const isNear = place > last && place - last <= GAP_BYTES_MAX;
    if (run === undefined || !isNear || place - first > READ_BYTES - TAIL_BYTES) {
      run = { positions: [], places: [] };
      runs.push(run);
    }
    run.positions.push(position);
    run.places.push(place);
    last = place;
  }
  return runs;
}
