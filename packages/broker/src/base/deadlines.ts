import type { Clock, Timer } from './clock.js';

/** The longest a timer is set for, in milliseconds: Node's own reach no further than 24 days. */
const TIMER_MILLISECONDS_MAX = 86_400_000;

/** What is set while alarms are rung is rung so much later at the earliest. */
const NEXT_TURN_MILLISECONDS = 0.001;

/** Something that is to be done at a time, and can be put off, brought forward or called off. */
export interface Alarm {
  /** Sets the time, in milliseconds of {@link Deadlines.now}, whatever it was before. */
  set(at: number): void;
  /** Calls it off; it may be set again. */
  clear(): void;
}

/**
 * Everything in a broker that is due at a time, behind a single timer: however many queues and
 * channels wait for something, the machine's clock is asked for the earliest alone.
 *
 * An alarm is rung once and is then off; it may set itself again, for now too: it is then rung in
 * the next turn of the event loop, so that long work can be done in slices.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #broken: (error: unknown) => void;
  /** The alarms that are set, as a binary heap: the earliest first. */
  readonly #heap: HeapAlarm[] = [];
  #timer: Timer | undefined;
  /** What the timer is set for. It may be too early, never too late. */
  #timerAt = 0;
  /** The time that alarms are being rung for; -1 when none are. */
  #ringingAt = -1;

  /** `broken` is told of an error that an alarm has thrown: a bug, which the others survive. */
  constructor(clock: Clock, broken: (error: unknown) => void) {
    this.#clock = clock;
    this.#broken = broken;
  }

  /** How many alarms are set. */
  get size(): number {
    return this.#heap.length;
  }

  /** Monotonic time in milliseconds. */
  now(): number {
    return this.#clock.now();
  }

  /** Wall time in milliseconds, for what outlives the process. */
  wallTime(): number {
    return this.#clock.wallTime();
  }

  /** Makes an alarm, which is off. */
  alarm(ring: () => void): Alarm {
    const alarm: HeapAlarm = {
      at: 0,
      index: -1,
      ring,
      set: (at) => this.#set(alarm, at),
      clear: () => this.#remove(alarm),
    };
    return alarm;
  }

  #set(alarm: HeapAlarm, time: number): void {
    const at = Math.max(time, this.#ringingAt + NEXT_TURN_MILLISECONDS);
    const isLater = alarm.index >= 0 && at >= alarm.at;
    alarm.at = at;
    if (alarm.index < 0) alarm.index = this.#heap.push(alarm) - 1;
    if (isLater) this.#sink(alarm);
    else this.#rise(alarm);
    this.#arm();
  }

  #remove(alarm: HeapAlarm): void {
    const { index } = alarm;
    if (index < 0) return;
    alarm.index = -1;
    const last = this.#heap.pop()!;
    if (last !== alarm) {
      last.index = index;
      this.#heap[index] = last;
      this.#sink(last);
      this.#rise(last);
    }
    // A timer that comes too early finds nothing to do; but one for nothing is not kept.
    if (this.#heap.length === 0) this.#disarm();
  }

  #arm(): void {
    const earliest = this.#heap[0];
    if (earliest === undefined || this.#ringingAt >= 0) return;
    if (this.#timer !== undefined && this.#timerAt <= earliest.at) return;
    this.#disarm();
    const wait = Math.min(Math.max(earliest.at - this.#clock.now(), 0), TIMER_MILLISECONDS_MAX);
    this.#timerAt = earliest.at;
    this.#timer = this.#clock.after(Math.ceil(wait), this.#ring);
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  readonly #ring = (): void => {
    this.#timer = undefined;
    this.#ringingAt = this.#clock.now();
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.at > this.#ringingAt) break;
      this.#remove(first);
      try {
        first.ring();
      } catch (error) {
        this.#broken(error);
      }
    }
    this.#ringingAt = -1;
    this.#arm();
  };

  #rise(alarm: HeapAlarm): void {
    const heap = this.#heap;
    let { index } = alarm;
    while (index > 0) {
      const parent = heap[(index - 1) >> 1]!;
      if (parent.at <= alarm.at) break;
      heap[index] = parent;
      parent.index = index;
      index = (index - 1) >> 1;
    }
    heap[index] = alarm;
    alarm.index = index;
  }

  #sink(alarm: HeapAlarm): void {
    const heap = this.#heap;
    let { index } = alarm;
    for (;;) {
      let below = 2 * index + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && heap[below + 1]!.at < heap[below]!.at) below++;
      const child = heap[below]!;
      if (child.at >= alarm.at) break;
      heap[index] = child;
      child.index = index;
      index = below;
    }
    heap[index] = alarm;
    alarm.index = index;
  }
}

interface HeapAlarm extends Alarm {
  at: number;
  /** Where in the heap it is; -1 if it is off. */
  index: number;
  readonly ring: () => void;
}
