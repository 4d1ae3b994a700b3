import { posix } from 'node:path';
import { type Finding, violation } from '../finding.js';
import type { SourceFile, Tree } from '../tree.js';

/** Relative links in markdown: the file must exist, and the heading after a `#` too. */
export function checkLinks(tree: Tree): Finding[] {
  return tree.files
    .filter((file) => file.path.endsWith('.md'))
    .flatMap((file) => linksOf(file).flatMap((link) => checkLink(tree, file, link)));
}

interface Link {
  readonly target: string;
  readonly line: number;
}

const inlineLink = /\]\(\s*<?([^)\s>]+)>?[^)]*\)/g;
const referenceLink = /^\s*\[[^\]]+\]:\s*(\S+)/g;

function linksOf(file: SourceFile): Link[] {
  return proseLines(file).flatMap((text, at) =>
    [...text.matchAll(inlineLink), ...text.matchAll(referenceLink)].flatMap((match) => {
      const target = match[1] ?? '';
      return /^[a-z][a-z0-9+.-]*:/i.test(target) ? [] : [{ target, line: at + 1 }];
    }),
  );
}

/** The lines of a page, those inside code fences emptied, inline code too. */
function proseLines(file: SourceFile): string[] {
  let fenced = false;
  return file.lines.map((text) => {
    if (/^\s*(```|~~~)/.test(text)) {
      fenced = !fenced;
      return '';
    }
    return fenced ? '' : text.replace(/`[^`]*`/g, (code) => ' '.repeat(code.length));
  });
}

function checkLink(tree: Tree, file: SourceFile, link: Link): Finding[] {
  const [path = '', anchor = ''] = link.target.split('#');
  const target = path === '' ? file.path : posix.join(posix.dirname(file.path), path);
  if (target.startsWith('..')) return broken(file, link, 'leaves the repository');
  if (!tree.exists(target)) return broken(file, link, 'points at nothing');
  const page = tree.file(target.replace(/\/$/, ''));
  if (anchor === '' || page === undefined || !target.endsWith('.md')) return [];
  if (headingsOf(page).has(anchor)) return [];
  return broken(file, link, `names a heading that ${target} does not have`);
}

function broken(file: SourceFile, link: Link, what: string): Finding[] {
  return [violation(file.path, link.line, 'broken-link', `${link.target} ${what}; correct it`)];
}

/** Anchors as GitHub makes them: lower case, punctuation dropped, spaces to hyphens. */
function headingsOf(file: SourceFile): Set<string> {
  const anchors = new Set<string>();
  let fenced = false;
  for (const text of file.lines) {
    if (/^\s*(```|~~~)/.test(text)) fenced = !fenced;
    const heading = fenced ? undefined : /^#{1,6}\s+(.*?)\s*#*$/.exec(text)?.[1];
    if (heading === undefined) continue;
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    let anchor = slug;
    for (let again = 1; anchors.has(anchor); again++) anchor = `${slug}-${again}`;
    anchors.add(anchor);
  }
  return anchors;
}
