import type { Line } from './report.js';
import { format } from './table.js';

const WIDTH = 960;
const LABEL_WIDTH = 440;
const VALUE_WIDTH = 190;
const LINE_HEIGHT = 20;
const CURVE_HEIGHT = 200;
const MARGIN = 16;
const COLOURS = ['#2f7d4f', '#d2691e', '#4a6fa5', '#8a5a83'];

/**
 * A picture of a run, as SVG: for each line a bar that says how many times better the first broker
 * is than the second one, on a logarithmic scale, and below what a message costs when there are
 * more and more of something.
 */
export function chartOf(lines: readonly Line[], brokers: readonly string[]): string {
  const compared = lines.filter(({ point, cells }) => !point && cells[1]?.ratio !== undefined);
  const bars = barsOf(compared, brokers);
  const curves = curvesOf(lines, brokers, bars.height);
  const height = bars.height + curves.height;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" ` +
      'font-family="system-ui, sans-serif" font-size="12" fill="#222">',
    `<title>${brokers.join(' and ')}, measured</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    ...bars.elements,
    ...curves.elements,
    '</svg>',
    '',
  ].join('\n');
}

interface Part {
  readonly elements: readonly string[];
  readonly height: number;
}

function barsOf(lines: readonly Line[], brokers: readonly string[]): Part {
  if (lines.length === 0) return { elements: [], height: 0 };
  const largest = Math.max(10, ...lines.map(({ cells }) => cells[1]!.ratio!));
  const smallest = Math.min(1, ...lines.map(({ cells }) => cells[1]!.ratio!));
  const room = WIDTH - LABEL_WIDTH - VALUE_WIDTH - MARGIN;
  const scale = room / Math.log10(largest / smallest);
  const xOf = (ratio: number): number => LABEL_WIDTH + Math.log10(ratio / smallest) * scale;
  const elements = [
    text(MARGIN, 24, `${brokers[0]} : ${brokers[1]}, how many times better (log scale)`, 'bold'),
  ];
  lines.forEach((line, at) => {
    const y = 40 + at * LINE_HEIGHT;
    const [own, peer] = line.cells;
    const [from, to] = [xOf(1), xOf(peer!.ratio!)].sort((one, other) => one - other);
    const colour = COLOURS[peer!.ratio! >= 1 ? 0 : 1]!;
    const values = `${format(own?.median)} : ${format(peer!.median)} ${line.unit}`;
    elements.push(
      text(MARGIN, y + 13, line.row),
      `<rect x="${round(from!)}" y="${y + 3}" width="${round(to! - from!)}" height="14" ` +
        `fill="${colour}"/>`,
      text(round(to!) + 4, y + 13, `${format(peer!.ratio)}×`),
      text(WIDTH - MARGIN, y + 13, values, 'normal', 'end'),
    );
  });
  return { elements, height: 40 + lines.length * LINE_HEIGHT + MARGIN };
}

function curvesOf(lines: readonly Line[], brokers: readonly string[], top: number): Part {
  const names = [...new Set(lines.flatMap(({ point }) => point?.of ?? []))];
  if (names.length === 0) return { elements: [], height: 0 };
  const width = WIDTH / names.length;
  const elements = [
    text(
      MARGIN,
      top + 24,
      'CPU µs of the broker for a message, by how many there are (log scales)',
      'bold',
    ),
    ...brokers.map((broker, at) => {
      const colour = COLOURS[at % COLOURS.length]!;
      return text(WIDTH - MARGIN - 110 * at, top + 24, `● ${broker}`, 'bold', 'end', colour);
    }),
  ];
  names.forEach((name, at) => {
    const own = lines.filter(({ point }) => point?.of === name);
    elements.push(...curveOf(name, own, at * width, top + 40, width));
  });
  return { elements, height: CURVE_HEIGHT + 40 + MARGIN };
}

/** One panel: counts to the right, microseconds up, both on logarithmic scales. */
function curveOf(
  name: string,
  lines: readonly Line[],
  left: number,
  top: number,
  width: number,
): string[] {
  const points = lines.map(({ point, cells }) => ({ count: point!.count, cells }));
  const costs = points.flatMap(({ cells }) => cells.flatMap((cell) => cell.cpuMicroseconds ?? []));
  const least = Math.min(...costs) / 2;
  const most = Math.max(...costs);
  const foot = top + CURVE_HEIGHT - 30;
  const step = (width - 4 * MARGIN) / Math.max(1, points.length - 1);
  const xOf = (at: number): number => round(left + 2 * MARGIN + at * step);
  const yOf = (cost: number): number =>
    round(foot - (Math.log(cost / least) / Math.log(most / least)) * (CURVE_HEIGHT - 60));
  const elements = [
    text(left + MARGIN, top + 10, name),
    `<path d="M${xOf(0)} ${foot}H${xOf(points.length - 1)}" stroke="#999"/>`,
    ...points.map(({ count }, at) =>
      text(xOf(at), foot + 16, count.toLocaleString('en'), 'normal', 'middle'),
    ),
  ];
  for (let broker = 0; broker < (points[0]?.cells.length ?? 0); broker++) {
    const colour = COLOURS[broker % COLOURS.length]!;
    const known = points.flatMap(({ cells }, at) => {
      const cost = cells[broker]?.cpuMicroseconds;
      return cost === undefined ? [] : [{ x: xOf(at), y: yOf(cost), cost }];
    });
    const path = known.map(({ x, y }) => `${x} ${y}`).join('L');
    elements.push(
      `<path d="M${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      ...known.map(({ x, y, cost }) => {
        return text(x, y - 6, format(cost), 'normal', 'middle', colour);
      }),
    );
  }
  return elements;
}

function text(
  x: number,
  y: number,
  content: string,
  weight = 'normal',
  anchor = 'start',
  fill = '#222',
): string {
  const escaped = content.replace(/&/g, '&amp;').replace(/</g, '&lt;');
  const style = `font-weight="${weight}" text-anchor="${anchor}" fill="${fill}"`;
  return `<text x="${x}" y="${y}" ${style}>${escaped}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
