import { displayPath, isStorageError, pathToBytes, type TreePath } from '@deespec/domain';
import { exportTree, migrate, verify } from '@deespec/storage';
import {
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';

import { MTIME_SECONDS, type FuzzTree } from './fuzz-tree.js';

/** Refusals that a changed tree may meet: before anything is read, for a reason that the tree itself gives. */
const refusals = new Set(['MODE.UNKNOWN', 'MODE.NOT_GRANTED', 'GO_TOOL.RUNNING', 'TREE.NOT_FOUND']);

/**
 * Writes the tree to a disk, migrates, verifies and exports it in this process, and compares what came back with what was
 * written, entry by entry.
 *
 * @param quarantined - what deriving the tree in memory put there, for display
 * @returns what was wrong; `refused` when the product would not take the tree
 */
export async function wholeRun(
  tree: FuzzTree,
  { directory, quarantined }: { directory: string; quarantined: readonly string[] },
): Promise<readonly string[] | 'refused'> {
  const home = `${directory}/.deespec`;
  const output = `${directory}/export`;
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  try {
    writeTree(tree, home);
    const migrated = await migrate({ home, quarantine: true });
    const verified = await verify({ home, checkAll: true });
    await exportTree({ home, output });
    const differences = verified.differences.map(({ what, where }) => `verify: ${what} at ${where}`);
    const isCounted = migrated.quarantined === quarantined.length && migrated.equation.holds;
    return [
      ...differences.slice(0, 5),
      ...(isCounted
        ? []
        : [`${migrated.quarantined} in quarantine, ${quarantined.length} derived in memory`]),
      ...compareTree(tree, home).map((what) => `the source: ${what}`),
      ...compareTree(tree, output).map((what) => `the export: ${what}`),
    ];
  } catch (error) {
    if (isStorageError(error) && refusals.has(error.code)) return 'refused';
    const code = isStorageError(error) ? error.code : 'no StorageError';
    return [`${code}: ${error instanceof Error ? (error.stack ?? '').slice(0, 1_000) : String(error)}`];
  }
}

function writeTree(tree: FuzzTree, home: string): void {
  const entries = [...tree.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  for (const { path, kind, bytes } of entries) {
    const at = diskPath(home, path);
    if (kind === 'directory') mkdirSync(at, { mode: 0o755 });
    else if (kind === 'symlink') symlinkSync(bytes, at);
    else writeFileSync(at, bytes, { mode: 0o644 });
  }
  for (const { path, kind } of entries.toReversed()) {
    const set = kind === 'symlink' ? lutimesSync : utimesSync;
    set(diskPath(home, path), MTIME_SECONDS, MTIME_SECONDS);
  }
}

function diskPath(root: string, path: TreePath): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), pathToBytes(path)]);
}

/** What of the tree does not stand below `root` as it was written, and what stands there beside it. */
function compareTree(tree: FuzzTree, root: string): readonly string[] {
  const wrong: string[] = [];
  for (const { path, kind, bytes } of tree.values()) {
    const found = readEntry(diskPath(root, path));
    const isSame = found?.kind === kind && found.bytes.equals(bytes);
    if (!isSame)
      wrong.push(`${displayPath(path)} is ${found === undefined ? 'gone' : 'not what was written'}`);
  }
  const extra = listNames(Buffer.from(root)).filter((name) => !tree.has(name as TreePath));
  return [...wrong, ...extra.map((name) => `${displayPath(name)} is new`)].slice(0, 5);
}

function readEntry(at: Buffer): { kind: string; bytes: Buffer } | undefined {
  const stat = lstatSync(at, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  if (stat.isSymbolicLink()) return { kind: 'symlink', bytes: readlinkSync(at, 'buffer') };
  if (stat.isDirectory()) return { kind: 'directory', bytes: Buffer.alloc(0) };
  return { kind: 'file', bytes: readFileSync(at) };
}

const own = /^(?:deespec\.db|\.storage(?:\/|$))/u;

/** Every path below a directory, as byte strings, but for what is the product's own. */
function listNames(root: Buffer, prefix = ''): readonly string[] {
  const names = readdirSync(root, { encoding: 'buffer' });
  return names.flatMap((name) => {
    const path = `${prefix}${name.toString('latin1')}`;
    if (own.test(path)) return [];
    const at = Buffer.concat([root, Buffer.from('/'), name]);
    return lstatSync(at).isDirectory() ? [path, ...listNames(at, `${path}/`)] : [path];
  });
}
