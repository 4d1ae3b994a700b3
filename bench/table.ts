/** A table in Markdown, padded to read in a terminal; the first `left` columns are text. */
export function tableOf(
  head: readonly string[],
  body: readonly (readonly string[])[],
  left: number,
): string {
  const widths = head.map((_, at) => Math.max(...[head, ...body].map((line) => line[at]!.length)));
  const pad = (cell: string, at: number): string =>
    at < left ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!);
  const draw = (line: readonly string[]): string => `| ${line.map(pad).join(' | ')} |`;
  const rule = widths.map((width, at) =>
    at < left ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [draw(head), draw(rule), ...body.map(draw)].join('\n');
}

/** A number with three significant digits or so; `-` for none. */
export function format(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '-';
  const digits = value >= 100 || Number.isInteger(value) ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString('en', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}
