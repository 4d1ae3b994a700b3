import type { Storable } from './journal/chain.js';
import type { ReadMessage } from './journal/journal-reader.js';

/** Messages with no more between them are read together, in octets. */
const GAP_BYTES_MAX = 65_536;
/** The most that is read at once. */
const READ_BYTES_MAX = 524_288;
/** What is read beyond where the last message begins; if it is longer it is read by itself. */
const TAIL_BYTES = 4_096;
/** How many reads are under way at once. */
const READS_MAX = 8;

/** Where scattered messages are, and what becomes of them. */
export interface ScatteredPlaces {
  /** The place of a position's message in the journal; 0 if there is none. */
  placeOf(position: number): number;
  /** Reads so many octets from a place on, see Journal. */
  readFrom(place: number, then: (read: ReadMessage | undefined) => void, bytes: number): void;
  take(position: number, message: Storable): void;
  /** It cannot be read. */
  lose(position: number): void;
}

interface Wanted {
  readonly position: number;
  readonly place: number;
}

/**
 * Reads messages that are anywhere in the journal: neighbours with one read, and no more than a few
 * at once. One that is moved meanwhile is left out: whoever wants it asks again.
 */
export function readScattered(
  positions: readonly number[],
  places: ScatteredPlaces,
  then: () => void,
): void {
  const wanted = positions.map((position) => ({ position, place: places.placeOf(position) }));
  const runs = runsOf(wanted.filter(({ place }) => place !== 0).sort((a, b) => a.place - b.place));
  let reading = 0;
  const readOn = (): void => {
    while (reading < READS_MAX && runs.length > 0) {
      const run = runs.pop()!;
      reading++;
      const bytes = run.at(-1)!.place - run[0]!.place + TAIL_BYTES;
      const came = (read: ReadMessage | undefined): void => {
        reading--;
        runs.push(...takeRun(run, read, places));
        readOn();
      };
      places.readFrom(run[0]!.place, came, bytes);
    }
    if (reading === 0 && runs.length === 0) then();
  };
  readOn();
}

/** Takes what has come of a run; returns what has to be read by itself. */
function takeRun(
  run: readonly Wanted[],
  read: ReadMessage | undefined,
  places: ScatteredPlaces,
): Wanted[][] {
  const left: Wanted[][] = [];
  for (const each of run) {
    if (places.placeOf(each.position) !== each.place) continue;
    const message = read?.(each.place);
    if (message !== undefined) places.take(each.position, message);
    else if (each === run[0]) places.lose(each.position);
    else left.push([each]);
  }
  return left;
}

/** Neighbours together; `wanted` is in order of place. */
function runsOf(wanted: readonly Wanted[]): Wanted[][] {
  const runs: Wanted[][] = [];
  let run: Wanted[] = [];
  for (const each of wanted) {
    const [first] = run;
    const last = run.at(-1);
    const isNear =
      first !== undefined &&
      last !== undefined &&
      each.place - last.place <= GAP_BYTES_MAX &&
      each.place - first.place <= READ_BYTES_MAX;
    if (isNear) {
      run.push(each);
      continue;
    }
    run = [each];
    runs.push(run);
  }
  return runs;
}
