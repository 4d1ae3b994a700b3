import { posix } from 'node:path';
import { type Finding, violation } from '../finding.js';
import type { SourceFile, Tree } from '../tree.js';

/** Names of files: what a reader sees first. */
export function checkNames(tree: Tree): Finding[] {
  return tree.typeScript.flatMap((file) => [...checkName(file), ...checkBarrel(tree, file)]);
}

const drawers = /(?:^|[-.])(?:utils?|helpers?|commons?|managers?|misc)(?:[-.]|$)/;

function checkName(file: SourceFile): Finding[] {
  const parts = file.path.split('/');
  const drawer = parts.find((part) => drawers.test(part.replace(/\.ts$/, '')));
  if (drawer !== undefined) {
    const message = `${drawer} is a drawer, not a name; name the concept it holds`;
    return [violation(file.path, 1, 'file-name', message)];
  }
  const name = posix.basename(file.path);
  if (/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+)*\.ts$/.test(name)) return [];
  return [violation(file.path, 1, 'file-name', `${name} is not kebab-case; rename it`)];
}

/** An index.ts stands only at a package's door, where it is the list of public names. */
function checkBarrel(tree: Tree, file: SourceFile): Finding[] {
  if (posix.basename(file.path) !== 'index.ts') return [];
  if (file.path === `${tree.workspaceOf(file.path)?.folder}/src/index.ts`) return [];
  const message = 'index.ts belongs at a package door only; import the files themselves';
  return [violation(file.path, 1, 'barrel', message)];
}
