import { runCourse } from '../backlog/course.js';
import type { Row } from './row.js';

/** A queue that nobody consumes, and the broker killed with SIGKILL while it is full. */
export function backlogRow(name: string, messages: number, bodyBytes: number): Row {
  return {
    name,
    isOfItsOwnBroker: true,
    graceSeconds: 900,
    figures: [
      { name: 'fill', unit: 'msg/s', better: 'higher' },
      { name: 'fill, of a bare O_DSYNC loop', unit: '%', better: 'higher' },
      { name: 'memory at most while filling', unit: 'MiB', better: 'lower' },
      { name: 'memory after the fill', unit: 'MiB', better: 'lower' },
      { name: 'restart after kill -9', unit: 'ms', better: 'lower' },
      { name: 'drain', unit: 'msg/s', better: 'higher' },
      { name: 'memory at most while draining', unit: 'MiB', better: 'lower' },
    ],
    measure: async ({ source }) => {
      if (!source.startsItsOwn) return undefined;
      const course = await runCourse(source, { messages, bodyBytes, unacknowledged: 0 });
      const { fill, drain, barePerSecond = Number.NaN, faults } = course;
      return {
        values: [
          fill.perSecond,
          (100 * fill.perSecond) / barePerSecond,
          fill.peakMebibytes ?? Number.NaN,
          course.filledMebibytes ?? Number.NaN,
          course.restartMilliseconds,
          drain.perSecond,
          drain.peakMebibytes ?? Number.NaN,
        ],
        faults,
      };
    },
  };
}
