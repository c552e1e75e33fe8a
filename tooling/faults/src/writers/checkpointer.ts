// A process of its own that runs checkpoints of every kind on a live database, as a tool beside the product may.
import Database from 'better-sqlite3';
import { setTimeout as sleep } from 'node:timers/promises';

const kinds = ['PASSIVE', 'FULL', 'RESTART', 'TRUNCATE'] as const;
const handle = new Database(process.argv[2], { timeout: 0, fileMustExist: true });
let isWanted = true;
process.on('message', () => (isWanted = false));
for (let count = 0; isWanted; count += 1) {
  try {
    handle.pragma(`wal_checkpoint(${kinds[count % kinds.length]})`);
  } catch (error) {
    // Somebody writes: that is what it is there to meet.
    if (!String((error as { code?: string }).code).startsWith('SQLITE_BUSY')) throw error;
  }
  process.send?.({ looks: count + 1 });
  await sleep(200);
}
handle.close();
process.disconnect?.();
