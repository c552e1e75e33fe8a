import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** What stands at a path of a tree. */
export interface SnapshotEntry {
  readonly kind: 'file' | 'directory' | 'symlink';
  /** Permission bits. */
  readonly mode: number;
  readonly bytes: Buffer;
  readonly sha256: string;
}

/** A tree, by path. */
export type Snapshot = ReadonlyMap<string, SnapshotEntry>;

const database = /^deespec\.db(?:-wal|-shm|-journal)?$/u;

/** True for what stands in a tree only while somebody works on it, or was cut off: temporary files and locks. */
export function isPassing(path: string): boolean {
  return /(?:^|\/)\.tmp-[^/]*$/u.test(path) || lock.test(path);
}

const lock = /^var\/(?:state\.lock|runlock)$/u;

/** True for a lock that a power cut left without its content: nobody can tell whose it was, so it has to wait for its lease. */
export function isEmptyLock(path: string, entry: SnapshotEntry | undefined): boolean {
  return lock.test(path) && entry?.kind === 'file' && entry.bytes.length === 0;
}

/** Everything of a tree but what is ours. What {@link isPassing} counts, because none of it may stay. */
export function takeSnapshot(home: string): Snapshot {
  const entries = new Map<string, SnapshotEntry>();
  const walk = (directory: string): void => {
    for (const name of readdirSync(join(home, directory)).sort()) {
      if (directory === '' && (name === '.storage' || database.test(name))) continue;
      const path = directory === '' ? name : `${directory}/${name}`;
      entries.set(path, entryAt(join(home, path)));
      if (entries.get(path)!.kind === 'directory') walk(path);
    }
  };
  walk('');
  return entries;
}

function entryAt(path: string): SnapshotEntry {
  const stat = lstatSync(path);
  const kind = stat.isDirectory() ? 'directory' : stat.isSymbolicLink() ? 'symlink' : 'file';
  const bytes =
    kind === 'directory'
      ? Buffer.alloc(0)
      : kind === 'symlink'
        ? readlinkSync(path, { encoding: 'buffer' })
        : readFileSync(path);
  return { kind, mode: stat.mode & 0o7777, bytes, sha256: sha256(bytes) };
}

/** SHA-256, hex. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const time = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)/gu;
const ulid = /\b[0-9A-HJKMNP-TV-Z]{26}\b/gu;

/** The content without what differs from run to run: times and the ids of lines. */
export function textLike(bytes: Buffer): string {
  return bytes.toString('latin1').replace(time, '<time>').replace(ulid, '<id>');
}

/** True when both are the same but for times and ids, or both are absent. */
export function isLike(one: SnapshotEntry | undefined, other: SnapshotEntry | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  if (one.kind !== other.kind || one.mode !== other.mode) return false;
  return one.sha256 === other.sha256 || textLike(one.bytes) === textLike(other.bytes);
}

/** Every path of the snapshots, once, in order. */
export function pathsOf(...snapshots: readonly Snapshot[]): readonly string[] {
  return [...new Set(snapshots.flatMap((snapshot) => [...snapshot.keys()]))].sort();
}
