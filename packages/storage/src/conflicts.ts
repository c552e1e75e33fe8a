import {
  displayPath,
  StorageError,
  timeFromDate,
  type AuditNote,
  type Conflict,
  type TreeEntry,
  type TreeStore,
} from '@deespec/domain';
import { openFileStorage, type FileTreeStore } from '@deespec/file-adapter';

import { atBoundary } from './boundary.js';
import { homePaths } from './home.js';
import { Session } from './live/session.js';

/** A kept version with its bytes. */
export interface OpenConflict {
  readonly conflict: Conflict;
  /** At most 1 MiB at a time; can be read once. */
  readonly content: Iterable<Buffer>;
}

/** What stands at the path of a conflict now, in the store that is the truth. */
export interface PresentVersion {
  /** Absent: nothing does. */
  readonly entry?: TreeEntry;
  /** Hands its bytes on, in chunks of at most 1 MiB, one after the other. @throws StorageError `FILE.*` when it is gone meanwhile */
  read(take: (chunk: Buffer) => Promise<void>): Promise<void>;
}

/** Which version of a conflict is to stand. */
export interface ResolveOptions {
  readonly home: string;
  readonly id: string;
  /** The version of the files or that of the database, as both were when they met. */
  readonly take: 'file' | 'db';
  /** Who resolves it, for the audit log. */
  readonly user?: string;
}

/** What {@link resolveConflict} did. */
export interface ResolveReport {
  readonly conflict: Conflict;
  readonly take: 'file' | 'db';
  /** False when the version that was taken stood there already. */
  readonly written: boolean;
}

/** Every conflict, oldest first. */
export async function listConflicts({ home }: { readonly home: string }): Promise<readonly Conflict[]> {
  return filesOf(home).listConflicts();
}

/** @throws StorageError `CONFLICT.NOT_FOUND` */
export async function openConflict(options: {
  readonly home: string;
  readonly id: string;
}): Promise<OpenConflict> {
  const files = filesOf(options.home);
  return { conflict: getConflict(files, options.id), content: files.readConflict(options.id) };
}

/**
 * What stands at the path of a conflict now, to be held against the version that is kept.
 *
 * @throws StorageError `CONFLICT.NOT_FOUND`, `LOCK.HELD`, `MODE.*`, `DATABASE.*`
 */
export async function openPresent(options: {
  readonly home: string;
  readonly id: string;
}): Promise<PresentVersion> {
  const { home } = options;
  const { path } = getConflict(filesOf(home), options.id);
  const entry = await withTree(home, (tree) => tree.look((view) => view.find(path)));
  return {
    ...(entry === undefined ? {} : { entry }),
    read: (take) =>
      atBoundary(home, () =>
        withTree(home, async (tree) => {
          for (const chunk of tree.read(path)) await take(chunk);
        }),
      ),
  };
}

async function withTree<T>(home: string, work: (tree: TreeStore) => Promise<T>): Promise<T> {
  const session = new Session(homePaths(home), {});
  try {
    return await session.use(({ tree }) => work(tree));
  } finally {
    await session.close();
  }
}

/**
 * Lets one version of a conflict stand; the other one's bytes go to `.storage/trash/`, not away.
 *
 * @throws StorageError `CONFLICT.NOT_FOUND`, `FILE.CHANGED`, those of a write
 */
export async function resolveConflict(options: ResolveOptions): Promise<ResolveReport> {
  const { home, id, take } = options;
  const paths = homePaths(home);
  const files = filesOf(home);
  const conflict = getConflict(files, id);
  const isKept = (take === 'file') === (conflict.store === 'files');
  const session = new Session(paths, {});
  try {
    const written =
      isKept && (await session.use(({ tree }) => putBack(tree, { conflict, files, ...options })));
    await session.settled();
    files.dropConflict(id);
    return { conflict, take, written };
  } finally {
    await session.close();
  }
}

interface PuttingBack extends Pick<ResolveOptions, 'take' | 'user'> {
  readonly conflict: Conflict;
  readonly files: FileTreeStore;
}

/** The kept version takes the place of the one that stands there now. @returns false when it stands there already */
async function putBack(tree: TreeStore, { conflict, files, take, user }: PuttingBack): Promise<boolean> {
  const { path, kind, mode, mtimeNs, size, sha256 } = conflict;
  const present = tree.find(path);
  if (present?.kind === kind && present.sha256 === sha256 && present.mode === mode) return false;
  const open = (): Iterable<Buffer> => files.readConflict(conflict.id);
  if (present !== undefined && present.kind !== 'directory') files.keepRemoved(path, tree.read(path));
  const bytes = kind === 'file' ? { size, sha256, open } : Buffer.concat([...open()]);
  const version = { path, kind, mode, mtimeNs, bytes };
  const note: AuditNote = {
    timestamp: timeFromDate(new Date()),
    entityType: 'path',
    entityId: displayPath(path),
    action: 'resolve',
    newValue: JSON.stringify({ conflict: conflict.id, take }),
    newHash: sha256,
    ...(present?.kind === 'file' ? { oldHash: present.sha256 } : {}),
    ...(user === undefined ? {} : { user }),
  };
  await tree.edit(() => ({ edits: [{ op: 'put', version, expected: present?.sha256 }], audit: [note] }));
  return true;
}

function getConflict(files: FileTreeStore, id: string): Conflict {
  const found = files.listConflicts().find((conflict) => conflict.id === id);
  if (found !== undefined) return found;
  throw new StorageError('CONFLICT.NOT_FOUND', `no conflict has the id ${JSON.stringify(id)}`, {
    hint: '"deespec conflict list" shows those that exist',
    details: { id },
  });
}

function filesOf(home: string): FileTreeStore {
  return openFileStorage({ home: homePaths(home).home }).store;
}
