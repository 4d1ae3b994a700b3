/**
 * What a long queue costs: fills one with persistent messages that nobody consumes, kills the
 * broker, starts it again, has a consumer take some without acknowledging them, and drains it.
 *
 *     npm run bench:backlog -- [--messages 10000000 --bytes 100] [--unacked 1000000] [--rabbitmq]
 *                              [--json FILE]
 *
 * Without --messages and --bytes it does so with 10 million of 100 octets, then with 1 million of
 * 1 KiB. The broker is a process of its own; its memory is what /proc says. It writes to $TMPDIR.
 * Exits with 1 if a message was lost, came twice or out of order, or came back.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { type Course, runCourse } from './backlog/course.js';
import type { Phase } from './backlog/phase.js';
import { leveret, ownLauncher } from './brokers/leveret.js';
import { rabbitmq } from './brokers/rabbitmq.js';
import { machine } from './machine.js';
import { format, tableOf } from './table.js';

const { values } = parseArgs({
  options: {
    messages: { type: 'string' },
    bytes: { type: 'string', default: '100' },
    unacked: { type: 'string', default: '1000000' },
    rabbitmq: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});

const LOADS =
  values.messages === undefined
    ? [
        { messages: 10_000_000, bodyBytes: 100 },
        { messages: 1_000_000, bodyBytes: 1_024 },
      ]
    : [{ messages: Number(values.messages), bodyBytes: Number(values.bytes) }];

const sources = [leveret({ name: 'Leveret', launcher: ownLauncher, nodeOptions: [] })];
const peer = values.rabbitmq ? rabbitmq() : undefined;
if (peer !== undefined) sources.push(peer);

const courses = [];
for (const load of LOADS) {
  for (const source of sources) {
    const unacknowledged = Math.min(Number(values.unacked), load.messages);
    const course = await runCourse(source, { ...load, unacknowledged });
    console.log(`\n## ${source.name}: ${format(load.messages)} × ${load.bodyBytes} octets\n`);
    print(course);
    courses.push({ broker: source.name, ...load, ...course });
  }
}
if (values.json !== undefined) {
  await writeFile(
    values.json,
    `${JSON.stringify({ machine: machine(), courses }, undefined, 2)}\n`,
  );
}
// What a peer does is reported, and is for its own people to judge.
const isFaulty = courses.some(
  ({ broker, faults, cameBack }) =>
    broker === 'Leveret' && (cameBack > 0 || Object.values(faults).some((count) => count > 0)),
);
if (isFaulty) process.exitCode = 1;

function print(course: Course): void {
  const { fill, unacknowledged, drain, faults } = course;
  const phases = [fill, ...(unacknowledged === undefined ? [] : [unacknowledged]), drain];
  const head = ['phase', 'messages', 's', 'msg/s', 'CPU µs', 'MiB at most', 'MiB in the end'];
  console.log(tableOf(head, phases.map(cellsOf), 1));
  console.log(
    `\nKilled with SIGKILL after the fill, it accepted connections after ` +
      `${format(course.restartMilliseconds)} ms, and held ${format(course.restartedMebibytes)} MiB.\n`,
  );
  if (course.barePerSecond !== undefined) {
    const share = format((100 * fill.perSecond) / course.barePerSecond);
    console.log(`The fill was ${share} % of a bare O_DSYNC loop.\n`);
  }
  const curve = ['tenth', ...phases.flatMap(({ name }) => [`${name}, msg/s`, 'CPU µs'])];
  const tenths = fill.parts.map((_, at) => [
    String(at + 1),
    ...phases.flatMap(({ parts }) => [
      format(parts[at]?.perSecond),
      format(parts[at]?.cpuMicroseconds),
    ]),
  ]);
  console.log(tableOf(curve, tenths, 0));
  const found = Object.entries(faults).map(([name, count]) => `${count} ${name}`);
  console.log(
    `\n${found.join(', ')}; ${format(course.redelivered)} marked as redelivered; ` +
      `${course.cameBack} came back after they had been acknowledged.`,
  );
}

function cellsOf(phase: Phase): string[] {
  const { name, messages, seconds, perSecond, cpuMicroseconds } = phase;
  const numbers = [messages, seconds, perSecond, cpuMicroseconds];
  return [name, ...[...numbers, phase.peakMebibytes, phase.residentMebibytes].map(format)];
}
