/** Below this many octets a loop is faster than calling into the runtime (measured on Node 20). */
const LOOP_BYTES_MAX = 40;

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
  for (let from = start, to = at; from < end; from++, to++) target[to] = source[from]!;
}
