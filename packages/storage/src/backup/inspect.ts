import { StorageError } from '@deespec/domain';
import {
  countStored,
  countTables,
  inspectDatabase,
  openHandle,
  readState,
  recordDigest,
  requireSchema,
  requireSmallCells,
  toStorageError,
} from '@deespec/sqlite-adapter';
import { digestDatabase } from '@deespec/verifier';
import { closeSync, lstatSync, openSync, readSync } from 'node:fs';

import type { FileFacts } from './hash-file.js';
import type { BackupFacts } from './manifest.js';

/** What a database of ours holds. */
export type DatabaseFacts = Omit<BackupFacts, keyof FileFacts>;

type Handle = ReturnType<typeof openHandle>;

/**
 * Reads all of a closed database that nobody else writes to, and says what it holds: it is one of ours, of a schema that is known, and
 * every stored byte is that of its hash. Whether its pages are sound says {@link requireWhole}.
 *
 * @param ownLinks - further names of the file that are ours
 * @throws StorageError `DATABASE.*`, `SCHEMA.*`, `MIGRATION.*`
 */
export function inspect(path: string, ownLinks: number): DatabaseFacts {
  return readClosed(path, ownLinks, (handle) => {
    const schemaVersion = requireSchema(handle, { older: 'allowed' });
    requireSmallCells(handle);
    const state = readState(handle);
    if (state === undefined) throw corrupt(handle, 'does not say which tree it is of');
    const lastAudit = schemaVersion === 1 ? undefined : readLastAudit(handle);
    return {
      schemaVersion,
      ...state,
      treeDigest: digestDatabase(handle, 'compared'),
      record: recordDigest(handle),
      stored: countStored(handle),
      counts: countTables(handle),
      ...(lastAudit === undefined ? {} : { lastAudit }),
    };
  });
}

/** Proves of such a file that its pages contradict nothing: SQLite's check, and references. @throws StorageError as {@link inspect} */
export function requireWhole(path: string, ownLinks: number): void {
  readClosed(path, ownLinks, (handle) => {
    requireSchema(handle, { older: 'allowed' });
    const check = handle.pragma('integrity_check(1)', { simple: true });
    if (check !== 'ok') throw corrupt(handle, "fails SQLite's check");
    const [broken] = handle.pragma('foreign_key_check') as { readonly table: string }[];
    if (broken !== undefined) throw corrupt(handle, `has a row of ${broken.table} that refers to nothing`);
  });
}

/** Pages that are kept, KiB, where SQLite would keep 16 MB: all of a file is read once, in as much time. */
const CACHE_KIB = 2_000;

function readClosed<T>(path: string, ownLinks: number, read: (handle: Handle) => T): T {
  requireAlone(path);
  inspectDatabase(path, ownLinks);
  requireWithoutLog(path);
  const handle = openHandle(path, 'read');
  try {
    handle.pragma(`cache_size = -${CACHE_KIB}`);
    return read(handle);
  } catch (error) {
    throw toStorageError(error, path);
  } finally {
    handle.close();
  }
}

function readLastAudit(handle: Handle): BackupFacts['lastAudit'] {
  return handle
    .prepare('SELECT seq, hash FROM audit_log WHERE seq IS NOT NULL ORDER BY seq DESC LIMIT 1')
    .get() as BackupFacts['lastAudit'];
}

/** With a sidecar SQLite would write to the file, or leave others beside it. */
function requireAlone(path: string): void {
  const sidecar = ['-wal', '-shm', '-journal']
    .map((end) => path + end)
    .find((name) => lstatSync(name, { throwIfNoEntry: false }) !== undefined);
  if (sidecar === undefined) return;
  throw new StorageError('DATABASE.STRAY_SIDECAR', `${sidecar} lies beside it, which no backup has`, {
    hint: 'nothing was touched: find out where it comes from',
    details: { sidecar },
  });
}

/** Place of the byte that says how readers must read, and what it is with a write-ahead log. Source: sqlite.org/fileformat.html. */
const READ_VERSION = 19;
const WITH_LOG = 2;

function requireWithoutLog(path: string): void {
  const start = Buffer.alloc(READ_VERSION + 1);
  const file = openSync(path, 'r');
  try {
    readSync(file, start, 0, start.length, 0);
  } finally {
    closeSync(file);
  }
  if (start[READ_VERSION] !== WITH_LOG) return;
  throw new StorageError('DATABASE.FORMAT', `${path} keeps a write-ahead log, which no backup does`, {
    hint: 'nothing was touched: find out where it comes from',
  });
}

function corrupt(handle: Handle, what: string): StorageError {
  return new StorageError('DATABASE.CORRUPT', `${handle.name} ${what}`, {
    hint: 'use another backup',
    details: { database: handle.name },
  });
}
