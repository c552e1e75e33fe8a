import { openHandle, requireSound, toStorageError } from '@deespec/sqlite-adapter';

/** A consistent copy of the published database, however it is used meanwhile. @throws StorageError `DATABASE.CORRUPT` */
export function copyDatabase(from: string, to: string): void {
  const handle = openHandle(from, 'read');
  try {
    requireSound(handle);
    handle.pragma('query_only = OFF');
    handle.prepare('VACUUM INTO ?').run(to);
  } catch (error) {
    // Here, not at the boundary: what is told apart by the room that is left must be told before anything is removed.
    throw toStorageError(error, to);
  } finally {
    handle.close();
  }
}
