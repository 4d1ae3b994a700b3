/** Below this many octets a loop is faster than calling into the runtime (measured on Node 20). */
const LOOP_BYTES_MAX = 48;

/** Copies `source[start, end)` to `target` at `at`. */
export function copyBytes(
  source: Buffer,
  start: number,
  end: number,
  target: Buffer,
  at: number,
): void {
  if (end - start > LOOP_BYTES_MAX) {
    source.copy(target, at, start, end);
    return;
  }
  let from = start;
  let to = at;
  for (const last = end - 3; from < last; from += 4, to += 4) {
    target[to] = source[from]!;
    target[to + 1] = source[from + 1]!;
    target[to + 2] = source[from + 2]!;
    target[to + 3] = source[from + 3]!;
  }
  for (; from < end; from++, to++) target[to] = source[from]!;
}
