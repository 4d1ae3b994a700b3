import { posix } from 'node:path';
import { type Finding, violation } from '../finding.js';
import type { Import } from '../imports.js';
import {
  codecPackage,
  type FolderLayer,
  folderLayers,
  layeredFolder,
  packageLayers,
} from '../layers.js';
import type { SourceFile, Tree, Workspace } from '../tree.js';

/** Who imports whom: between packages by name, within the broker by folder. */
export function checkLayering(tree: Tree): Finding[] {
  return tree.typeScript.flatMap((file) => {
    const workspace = tree.workspaceOf(file.path);
    if (workspace === undefined) return [];
    return [
      ...unplacedFolder(file),
      ...file.imports.flatMap((found) => [
        ...(found.specifier.startsWith('.')
          ? checkRelative(tree, file, workspace, found)
          : checkByName(tree, file, workspace, found)),
      ]),
    ];
  });
}

function checkRelative(tree: Tree, file: SourceFile, from: Workspace, found: Import): Finding[] {
  const target = tree.resolve(file, found.specifier);
  if (!target.startsWith(`${from.folder}/`)) {
    const what = `'${found.specifier}' leaves ${from.folder}`;
    const message = `${what}; import the other package by name`;
    return [violation(file.path, found.line, 'relative-import', message)];
  }
  return checkFolders(file, target, found);
}

function checkFolders(file: SourceFile, target: string, found: Import): Finding[] {
  const own = placeOf(file.path);
  // A test may put together what it needs around its subject.
  if (own?.layer === undefined || file.isTest) return [];
  const other = placeOf(target);
  if (other?.folder === own.folder) return [];
  if (other?.layer !== undefined && own.layer.mayImport.includes(other.layer.folder)) return [];
  const allowed = own.layer.mayImport.join(', ') || 'nothing but itself';
  const what = `${own.folder} imports ${other?.folder || target}`;
  const message = `${what}, which is above or beside it; it may import ${allowed}`;
  return [violation(file.path, found.line, 'folder-layer', message)];
}

function checkByName(tree: Tree, file: SourceFile, from: Workspace, found: Import): Finding[] {
  if (found.specifier.startsWith('node:')) return [];
  const name = packageName(found.specifier);
  return [
    ...checkDeclared(file, from, found, name),
    ...checkPackageLayer(tree, file, from, found, name),
    ...checkEntry(tree, file, found, name),
    ...checkCodecUse(file, found, name),
  ];
}

function checkDeclared(file: SourceFile, from: Workspace, found: Import, name: string): Finding[] {
  if (name === from.name || from.dependencies.has(name)) return [];
  if (file.isTest && from.devDependencies.has(name)) return [];
  const message = `'${name}' is not among the dependencies in ${from.folder}/package.json; add it`;
  return [violation(file.path, found.line, 'declared-dependency', message)];
}

function checkPackageLayer(
  tree: Tree,
  file: SourceFile,
  from: Workspace,
  found: Import,
  name: string,
): Finding[] {
  if (!tree.workspaces.some((workspace) => workspace.name === name)) return [];
  const allowed = packageLayers.get(from.name) ?? [];
  if (name === from.name || allowed.includes(name)) return [];
  const may = allowed.join(', ') || 'no other package';
  const message = `${from.name} must not import ${name}; it may import ${may}`;
  return [violation(file.path, found.line, 'package-layer', message)];
}

function checkEntry(tree: Tree, file: SourceFile, found: Import, name: string): Finding[] {
  const target = tree.workspaces.find((workspace) => workspace.name === name);
  if (target === undefined) return [];
  const entry = `.${found.specifier.slice(name.length)}`;
  if (target.entries.has(entry)) return [];
  const message = `'${found.specifier}' is not a public entry; use one of ${name}'s exports`;
  return [violation(file.path, found.line, 'public-entry', message)];
}

/**
 * What a folder of the broker may take from the codec, by the `codec` column of the table. Tests
 * may take what they like: they make the tables that their subject gets.
 */
function checkCodecUse(file: SourceFile, found: Import, name: string): Finding[] {
  const layer = placeOf(file.path)?.layer;
  if (layer === undefined || name !== codecPackage || layer.codec === 'all') return [];
  if (file.isTest) return [];
  const { types, values } = layer.codec === 'none' ? { types: [], values: [] } : layer.codec;
  const refused = [
    ...found.values.filter((one) => !values.includes(one)),
    ...found.types.filter((one) => !types.includes(one) && !values.includes(one)),
  ];
  if (refused.length === 0) return [];
  const what = `${layer.folder} must not import ${refused.join(', ')} from ${codecPackage}`;
  const may = `${values.join(', ') || 'nothing'}, and as types ${types.join(', ') || 'nothing'}`;
  return [violation(file.path, found.line, 'folder-layer', `${what}; it may import ${may}`)];
}

function unplacedFolder(file: SourceFile): Finding[] {
  const place = placeOf(file.path);
  if (place === undefined || place.layer !== undefined || place.folder === '') return [];
  const message = `the folder ${place.folder} has no layer; add it to scripts/src/tidy/layers.ts`;
  return [violation(file.path, 1, 'folder-layer', message)];
}

interface Place {
  /** The layer's own folder, `protocols/amqp091` for a `protocols/*`; '' at the root. */
  readonly folder: string;
  readonly layer: FolderLayer | undefined;
}

/** Where a file of the layered package stands; undefined for all other files. */
function placeOf(path: string): Place | undefined {
  if (!path.startsWith(`${layeredFolder}/`)) return undefined;
  const inside = posix.dirname(path.slice(layeredFolder.length + 1));
  if (inside === '.') return { folder: '', layer: undefined };
  const parts = inside.split('/');
  for (const layer of folderLayers) {
    const pattern = layer.folder.split('/');
    const matches = pattern.every((part, at) => part === parts[at] || (part === '*' && parts[at]));
    if (matches) return { folder: parts.slice(0, pattern.length).join('/'), layer };
  }
  return { folder: inside, layer: undefined };
}

/** `@scope/name/entry` and `name/entry` without the entry. */
function packageName(specifier: string): string {
  const parts = specifier.split('/');
  return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
}
