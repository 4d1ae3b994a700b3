import { fileURLToPath } from 'node:url';

/** A path in the repository; the tests run compiled, from `test/dist/conformance/clients`. */
export function repositoryPath(path: string): string {
  return fileURLToPath(new URL(`../../../../${path}`, import.meta.url));
}
