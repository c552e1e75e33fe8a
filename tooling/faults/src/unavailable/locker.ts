// A process of its own that keeps the write lock of a database until it is told to end.
import Database from 'better-sqlite3';
import { setTimeout as sleep } from 'node:timers/promises';

const handle = new Database(process.argv[2], { timeout: 0, fileMustExist: true });
process.on('message', () => {
  handle.exec('ROLLBACK');
  handle.close();
  process.disconnect();
});
for (let isLocked = false; !isLocked;) {
  try {
    handle.exec('BEGIN EXCLUSIVE');
    isLocked = true;
  } catch (error) {
    if ((error as { code?: string }).code !== 'SQLITE_BUSY') throw error;
    await sleep(5);
  }
}
process.send?.({ locked: true });
