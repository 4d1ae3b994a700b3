import { type Finding, violation } from '../finding.js';
import { isObject, parseObject, type SourceFile, type Tree } from '../tree.js';

/** What makes the same commit install differently, or not at all, on another machine. */
export function checkPackaging(tree: Tree): Finding[] {
  return [
    ...checkLockfile(tree),
    ...tree.files.filter((file) => file.path.endsWith('package.json')).flatMap(checkVersions),
    ...tree.files.flatMap(checkPaths),
  ];
}

/** An address in `resolved` ties the lockfile to the registry of whoever wrote it. */
function checkLockfile(tree: Tree): Finding[] {
  const file = tree.file('package-lock.json');
  if (file === undefined) return [];
  return file.lines.flatMap((text, at) => {
    const address = /"resolved":\s*"([a-z+]+:[^"]*)"/.exec(text)?.[1];
    if (address === undefined) return [];
    const how = 'npm install --omit-lockfile-registry-resolved';
    const message = `resolved names the address ${address}; write the file with ${how}`;
    return [violation(file.path, at + 1, 'lockfile', message)];
  });
}

const exactVersion = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/;

function checkVersions(file: SourceFile): Finding[] {
  const json = parseObject(file.text);
  return ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((kind) => {
    const listed = json[kind];
    if (!isObject(listed)) return [];
    return Object.entries(listed).flatMap(([name, version]) => {
      if (exactVersion.test(String(version))) return [];
      const line = file.lines.findIndex((text) => text.includes(`"${name}":`)) + 1;
      const message = `${name} is asked for as ${String(version)}; pin one exact version`;
      return [violation(file.path, line, 'pinned-version', message)];
    });
  });
}

/**
 * Places that only the machine of whoever wrote the line has: above the repository, or in a home.
 * A `[d]` is a `d`; so written, the pattern does not find itself.
 */
const foreignPath = new RegExp(
  [
    /\.\.\/share[d]\//,
    /(?<![\w.])\/(?:wor[k]|hom[e]|User[s]|roo[t])\/[\w.]/,
    /\.librar[y]\b/,
    /\/\.mirro[r]\b/,
  ]
    .map((part) => part.source)
    .join('|'),
);

function checkPaths(file: SourceFile): Finding[] {
  if (file.path === 'package-lock.json') return [];
  return file.lines.flatMap((text, at) => {
    const found = foreignPath.exec(text)?.[0];
    if (found === undefined) return [];
    const message = `${found} is outside the repository; the product must not know of it`;
    return [violation(file.path, at + 1, 'foreign-path', message)];
  });
}
