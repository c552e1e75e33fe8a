import { StorageError } from '@deespec/domain';

/** Rows of a page: the given limit, 100 when absent. @throws StorageError `USAGE.INVALID` when not 1 to 1,000 */
export function pageSize(limit: number | undefined): number {
  const rows = limit ?? 100;
  if (Number.isInteger(rows) && rows >= 1 && rows <= 1000) return rows;
  throw new StorageError('USAGE.INVALID', `limit is ${rows}`, {
    hint: 'a limit is a whole number from 1 to 1000',
  });
}

/** Rows to skip: the given offset, 0 when absent. @throws StorageError `USAGE.INVALID` when it is no whole number from 0 */
export function pageOffset(offset: number | undefined): number {
  const rows = offset ?? 0;
  if (Number.isSafeInteger(rows) && rows >= 0) return rows;
  throw new StorageError('USAGE.INVALID', `offset is ${rows}`, {
    hint: 'an offset is a whole number from 0',
  });
}
