/** Whether a key matches a pattern, found by trying everything (0-9-1 §3.1.3.3). */
export function topicMatches(pattern: readonly string[], key: readonly string[]): boolean {
  const [word, ...rest] = pattern;
  if (word === undefined) return key.length === 0;
  if (word === '#') {
    return topicMatches(rest, key) || (key.length > 0 && topicMatches(pattern, key.slice(1)));
  }
  if (key.length === 0) return false;
  return (word === '*' || word === key[0]) && topicMatches(rest, key.slice(1));
}
