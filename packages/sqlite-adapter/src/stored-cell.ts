import { pathFromBytes, StorageError, type JsonObject, type TreePath } from '@deespec/domain';

/**
 * What a database of ours holds in one cell of the index at most, bytes; the record's cells end at 1 MiB. A crafted file
 * has cells of gigabytes, which must not be loaded to be refused.
 */
export const CELL_BYTES = 32 * 1_048_576;

/** SQL for a column's value, NULL in place of one above `bytes`: SQLite reads its length without loading it. */
export function atMost(column: string, bytes: number): string {
  return `CASE WHEN octet_length(${column}) <= ${bytes} THEN ${column} END`;
}

/** The error of a stored value that no write of ours can have left. */
export function damaged(where: string, what: string, cause?: unknown): StorageError {
  return new StorageError('DATABASE.CORRUPT', `${where} ${what}: the database is damaged`, {
    hint: 'run "deespec verify --check-all"; restore a backup, or move the database away and run "deespec migrate"',
    details: { where },
    ...(cause === undefined ? {} : { cause }),
  });
}

// STRICT and CHECK hold for what SQLite writes, not for a file that something else wrote.

/** A cell that must be text. @throws StorageError `DATABASE.CORRUPT` */
export function storedText(value: unknown, where: string): string {
  if (typeof value === 'string') return value;
  throw damaged(where, 'has a value that is no text');
}

/** A cell that must be an exact integer. @throws StorageError `DATABASE.CORRUPT` */
export function storedInteger(value: unknown, where: string): number {
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (Number.isSafeInteger(number)) return number as number;
  throw damaged(where, 'has a value that is no integer');
}

/** A cell that must be a path inside the tree. @throws StorageError `DATABASE.CORRUPT` */
export function storedPath(value: unknown, where: string): TreePath {
  if (!Buffer.isBuffer(value)) throw damaged(where, 'has a path that is no BLOB');
  try {
    return pathFromBytes(value);
  } catch (error) {
    throw damaged(where, 'has a path that leads nowhere inside the tree', error);
  }
}

/** A cell that must be the text of a JSON object. @throws StorageError `DATABASE.CORRUPT` */
export function storedObject(value: unknown, where: string): JsonObject {
  let object: unknown;
  try {
    object = JSON.parse(storedText(value, where));
  } catch (error) {
    throw damaged(where, 'has metadata that is no JSON', error);
  }
  if (typeof object === 'object' && object !== null && !Array.isArray(object)) return object as JsonObject;
  throw damaged(where, 'has metadata that is no JSON object');
}
