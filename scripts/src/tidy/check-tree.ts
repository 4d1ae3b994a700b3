import { type Exceptions, exceptions, Permits } from './exceptions.js';
import type { Finding } from './finding.js';
import { checkCycles } from './rules/cycles.js';
import { checkLayering } from './rules/layering.js';
import { checkLeftovers } from './rules/leftovers.js';
import { checkLinks } from './rules/links.js';
import { checkNames } from './rules/names.js';
import { checkPackaging } from './rules/packaging.js';
import { checkPorts } from './rules/ports.js';
import { checkSizes } from './rules/sizes.js';
import { Tree } from './tree.js';

/** All rules over the repository at `root`, sorted by place. */
export function checkTree(root: string, excused: Exceptions = exceptions): Finding[] {
  const tree = new Tree(root);
  const permits = new Permits(excused.permits);
  const findings = [
    ...checkLayering(tree),
    ...checkCycles(tree),
    ...checkSizes(tree, excused),
    ...checkPorts(tree, permits),
    ...checkLeftovers(tree, permits),
    ...checkNames(tree),
    ...checkLinks(tree),
    ...checkPackaging(tree),
    ...permits.unused(tree),
  ];
  return findings.sort((a, b) => a.path.localeCompare(b.path, 'en') || a.line - b.line);
}
