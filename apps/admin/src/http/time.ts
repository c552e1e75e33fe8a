import { parseTime, StorageError } from '@deespec/domain';

/** A time of a query, as it is stored. @throws StorageError `USAGE.INVALID` */
export function timeOf(text: string): string {
  const time = parseTime(text);
  if (time !== undefined) return time;
  throw new StorageError('USAGE.INVALID', '"since" is not a time', {
    hint: 'give it as 2026-01-31T12:00:00Z',
  });
}
