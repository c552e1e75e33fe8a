import { isStorageError, StorageError, type AuditRecord } from '@deespec/domain';
import { copyAudit } from '@deespec/dual-adapter';
import type { FileTreeStore } from '@deespec/file-adapter';
import {
  changeState,
  keepLog,
  openHandle,
  openSqliteStorage,
  readAudit,
  replaceAccount,
  StoredTree,
  toStorageError,
} from '@deespec/sqlite-adapter';

import type { HomePaths } from '../home.js';
import { nameMode, originalOf } from '../mode-setting.js';
import type { OriginalSetting } from '../original-setting.js';
import type { BackupFacts, BackupManifest } from './manifest.js';
import type { RestoreJournal } from './restore-journal.js';

/** What `setting.json` says in mode `file`, by the backup. */
export function originalIn(
  database: string,
  { mode }: BackupFacts,
  known: OriginalSetting | undefined,
): OriginalSetting {
  if (mode !== 'file') return known ?? 'absent';
  const stored = StoredTree.openReader(database);
  try {
    return originalOf(stored);
  } catch (error) {
    if (isStorageError(error, 'LAYOUT.MALFORMED')) return known ?? 'absent';
    throw error;
  } finally {
    stored.close();
  }
}

/** What {@link prepare} needs beside the copy. */
export interface Preparing {
  readonly files: FileTreeStore;
  readonly journal: RestoreJournal;
  readonly manifest: BackupManifest | undefined;
  readonly user: string | undefined;
  /** Digest of the tree in the copy. */
  readonly treeDigest: string;
}

/**
 * Makes a proven copy the database that this tree is to have: of its mode and the new epoch, `setting.json` naming that mode, with the
 * whole chain of changes of this tree and a record of the restore, owing nothing. History does not go back: it only grows.
 *
 * @throws StorageError `AUDIT.BROKEN` when the chain of the backup is another one; `LAYOUT.MALFORMED`, `DATABASE.*`
 */
export async function prepare(paths: HomePaths, database: string, options: Preparing): Promise<void> {
  begin(database, options.journal);
  anchor(paths, options.files);
  await write(database, options);
}

function begin(database: string, { mode, epoch }: Preparing['journal']): void {
  const handle = openHandle(database, 'write');
  try {
    changeState(handle, { mode, epoch });
    replaceAccount(handle, []);
  } catch (error) {
    throw toStorageError(error, database);
  } finally {
    handle.close();
  }
}

/** What the database that goes has recorded and the chain outside it lacks goes there first. */
function anchor(paths: HomePaths, files: FileTreeStore): void {
  let last = 0;
  for (const { seq } of files.auditSince(0)) last = Math.max(last, seq);
  const missing: AuditRecord[] = [];
  try {
    for (const record of readAudit(paths.database)) if (record.seq > last) missing.push(record);
  } catch (error) {
    // There is none, or it is what makes the restore necessary: nobody can read more of it.
    if (!isStorageError(error)) throw error;
  }
  files.appendAudit(missing);
}

async function write(
  database: string,
  { files, journal, manifest, user, treeDigest }: Preparing,
): Promise<void> {
  const storage = await openSqliteStorage({ path: database });
  const { store } = storage;
  try {
    await copyAudit({ files, ledger: store });
    await nameModeIn(store, journal);
    const { from, storeId, run, startedAt } = journal;
    const newValue = JSON.stringify({ from, seq: manifest?.seq ?? null, treeDigest });
    const note = { timestamp: startedAt, entityType: 'storage', entityId: storeId, action: 'restore' };
    await store.edit(() => ({
      edits: [],
      audit: [{ ...note, newValue, requestId: run, ...(user === undefined ? {} : { user }) }],
    }));
  } finally {
    await storage.close();
  }
  const handle = openHandle(database, 'write');
  try {
    keepLog(handle, 'rollback');
  } finally {
    handle.close();
  }
}

async function nameModeIn(
  store: Parameters<typeof nameMode>[0],
  { mode, original }: Preparing['journal'],
): Promise<void> {
  try {
    await nameMode(store, mode, original);
  } catch (error) {
    // In mode file such a file is kept as it is.
    if (mode === 'file' && isStorageError(error, 'LAYOUT.MALFORMED')) return;
    throw isStorageError(error, 'LAYOUT.MALFORMED') ? unnamed(error, mode) : error;
  }
}

function unnamed(cause: StorageError, mode: string): StorageError {
  return new StorageError(
    cause.code,
    `setting.json in the backup cannot name the mode ${mode}: ${cause.message}`,
    {
      hint: 'nothing was changed; get the files with "deespec restore <id> --as <dir>"',
      cause,
    },
  );
}
