import { readFileSync } from 'node:fs';

/** The version in this package's package.json; all packages share it. */
export function readVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const manifest: { version: string } = JSON.parse(text); // our own file, published with the code
  return manifest.version;
}
