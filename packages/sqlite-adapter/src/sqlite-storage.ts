import type { Index } from '@deespec/domain';

import { openConnection } from './connection.js';
import { keepLog } from './handle.js';
import { requireSchema } from './schema.js';
import { SqliteIndex } from './sqlite-index.js';
import { SqliteTreeStore } from './sqlite-tree-store.js';
import { waitForLock, WriteQueue } from './write-queue.js';

/** What a database is opened with. */
export interface SqliteOptions {
  readonly path: string;
  readonly now?: () => Date;
  /** True when files follow this database; see `TreeStoreParts`. Default false. */
  readonly owes?: boolean;
}

/** An open database that can be written. */
export interface SqliteStorage {
  readonly store: SqliteTreeStore;
  readonly index: Index;
  /** False once the schema is another version than at the opening: then this program must not go on with it. */
  readonly isCurrent: () => boolean;
  /** Closes both. A second call does nothing. */
  close(): Promise<void>;
}

/**
 * Opens a database of ours for writing: one writer connection in WAL mode behind a queue, and a reader of its own.
 *
 * @throws StorageError those of `requireSchema`, or what SQLite says
 */
export async function openSqliteStorage({
  path,
  now = () => new Date(),
  owes = false,
}: SqliteOptions): Promise<SqliteStorage> {
  const writer = await openConnection(path, 'write');
  try {
    const version = requireSchema(writer.handle);
    await waitForLock(() => keepLog(writer.handle, 'wal'), path);
    const reader = await openConnection(path, 'read');
    let closing: Promise<void> | undefined;
    const close = () => (closing ??= reader.close().then(() => writer.close()));
    const queue = new WriteQueue(writer.handle, path);
    const store = new SqliteTreeStore({
      handle: writer.handle,
      reader: reader.handle,
      path,
      queue,
      now,
      owes,
      close,
    });
    const marked = writer.handle.prepare('PRAGMA user_version').pluck();
    const isCurrent = () => writer.handle.open && marked.get() === version;
    return { store, index: new SqliteIndex(reader), isCurrent, close };
  } catch (error) {
    await writer.close();
    throw error;
  }
}

/**
 * Opens the index of a database of ours on a connection that cannot write.
 *
 * @throws StorageError those of `requireSchema`, or what SQLite says
 */
export async function openSqliteIndex(path: string): Promise<{ index: Index; close(): Promise<void> }> {
  const reader = await openConnection(path, 'read');
  try {
    requireSchema(reader.handle);
    return { index: new SqliteIndex(reader), close: () => reader.close() };
  } catch (error) {
    await reader.close();
    throw error;
  }
}
