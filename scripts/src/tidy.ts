/**
 * The repository checks itself: `npm run tidy`, or `node scripts/dist/tidy.js [root]`.
 * Prints one line a finding and exits 1 if one of them is an error.
 */
import { checkTree } from './tidy/check-tree.js';
import { formatFinding } from './tidy/finding.js';

const root = process.argv[2] ?? process.cwd();
const findings = checkTree(root);
for (const finding of findings) console.log(formatFinding(finding));
const errors = findings.filter((finding) => finding.severity === 'error').length;
console.log(`tidy: ${errors} errors, ${findings.length - errors} warnings`);
process.exitCode = errors === 0 ? 0 : 1;
