import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  openHandle,
  openSqliteStorage,
  SqliteLoader,
  type SqliteOptions,
  type SqliteStorage,
} from '../src/index.js';

const directories: string[] = [];

/** A new directory; `removeDirectories` removes it. */
export function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'deespec-sqlite-'));
  directories.push(path);
  return path;
}

export function removeDirectories(): void {
  for (const path of directories.splice(0)) rmSync(path, { recursive: true, force: true });
}

export const state = { mode: 'file', epoch: 1, storeId: '01HZX3YQ4VAXE1C24TYMZ95G6S' } as const;

/** An empty database of the present schema. */
export function emptyDatabase(): string {
  const path = join(directory(), 'deespec.db');
  SqliteLoader.open({ path, create: { state, now: () => new Date('2026-01-02T03:04:05Z') } }).complete();
  return path;
}

/** Closes and proves that the database is sound: what every test ends with. */
export async function closeAndCheck(storage: SqliteStorage, path: string): Promise<void> {
  await storage.close();
  const handle = openHandle(path, 'write');
  const problems = [...(handle.pragma('integrity_check') as { integrity_check: string }[])]
    .map((row) => row.integrity_check)
    .filter((text) => text !== 'ok')
    .concat(
      (handle.pragma('foreign_key_check') as { table: string }[]).map(
        ({ table }) => `foreign key of ${table}`,
      ),
    );
  handle.close();
  if (problems.length > 0) throw new Error(`${path}: ${problems.join('; ')}`);
}

export async function freshStorage(options: Omit<SqliteOptions, 'path'> = {}): Promise<{
  storage: SqliteStorage;
  path: string;
  close: () => Promise<void>;
}> {
  const path = emptyDatabase();
  const storage = await openSqliteStorage({ path, ...options });
  return { storage, path, close: () => closeAndCheck(storage, path) };
}
