import { StorageError } from './errors.js';

/** Storage modes, in the order of the ladder. Source: docs/adr/0002 and the mode table of the README. */
export const storageModes = ['file', 'dual_write', 'sqlite', 'sqlite_only'] as const;
export type StorageMode = (typeof storageModes)[number];

const aliases: Readonly<Record<string, StorageMode>> = {
  file: 'file',
  FILE_ONLY: 'file',
  dual_write: 'dual_write',
  DUAL_WRITE: 'dual_write',
  dual: 'dual_write',
  sqlite: 'sqlite',
  SQLITE_PRIMARY: 'sqlite',
  sqlite_only: 'sqlite_only',
};

/** What each mode reads and writes, for people. */
export const modeMeanings: Readonly<Record<StorageMode, { reads: 'files' | 'sqlite'; meaning: string }>> = {
  file: { reads: 'files', meaning: 'files are the truth; the database, if there is one, is a verified copy' },
  dual_write: { reads: 'files', meaning: 'files are the truth; SQLite follows' },
  sqlite: { reads: 'sqlite', meaning: 'SQLite is the truth; files follow' },
  sqlite_only: { reads: 'sqlite', meaning: 'SQLite is the truth; files are not written' },
};

/**
 * The mode a `storage_mode` setting names, either vocabulary; absent means `file`.
 *
 * @throws StorageError `MODE.UNKNOWN`: a mode is never guessed
 */
export function parseMode(setting: unknown): StorageMode {
  if (setting === undefined) return 'file';
  const mode = typeof setting === 'string' && Object.hasOwn(aliases, setting) ? aliases[setting] : undefined;
  if (mode !== undefined) return mode;
  throw new StorageError(
    'MODE.UNKNOWN',
    `storage_mode is ${JSON.stringify(setting)}, which is no storage mode`,
    {
      hint: `set storage_mode in setting.json to one of ${storageModes.join(', ')}`,
    },
  );
}
