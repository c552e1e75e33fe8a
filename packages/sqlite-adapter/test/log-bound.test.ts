import type { Database } from 'better-sqlite3';
import { afterAll, describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';

import { keepLog, logBytes, openHandle } from '../src/index.js';
import { LogBound } from '../src/log-bound.js';
import { WriteQueue } from '../src/write-queue.js';
import { emptyDatabase, removeDirectories } from './support.js';

afterAll(removeDirectories);

const MIB = 1_048_576;

/** A database in WAL mode with one row, which `write` makes anew. */
function open() {
  const path = emptyDatabase();
  const writer = openHandle(path, 'write');
  keepLog(writer, 'wal');
  const put = writer.prepare(
    `INSERT INTO schema_info (key, value) VALUES ('filler', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
  );
  let count = 0;
  // Another value each time: SQLite does not write the bytes that are there already.
  const write = (bytes: number) => void put.run(String((count += 1) % 10).repeat(bytes));
  write(1);
  return { path, writer, write };
}

/** A reader that keeps seeing the database as it is now. */
function startReader(path: string): Database {
  const reader = openHandle(path, 'read');
  reader.exec('BEGIN DEFERRED');
  reader.prepare('SELECT count(*) FROM schema_info').get();
  return reader;
}

/** @returns whether it came to pass within 5 s */
async function comes(condition: () => boolean): Promise<boolean> {
  for (let waited = 0; !condition() && waited < 5_000; waited += 20) await sleep(20);
  return condition();
}

describe('A write-ahead log', () => {
  test('above the bound is cut off once no reader needs it, although nobody writes any more', async () => {
    const { path, writer, write } = open();
    const log = new LogBound(writer, path, 100_000);
    const reader = startReader(path);
    write(200_000);
    log.committed();
    await sleep(100);
    const kept = logBytes(path);

    reader.close();

    expect(await comes(() => logBytes(path) === 0)).toBe(true);
    expect(kept).toBeGreaterThan(200_000);
    writer.close();
  });

  test('below it is left alone', async () => {
    const { path, writer, write } = open();
    const log = new LogBound(writer, path, 100_000);
    write(10_000);
    const before = logBytes(path);
    log.committed();
    await sleep(100);

    expect(logBytes(path)).toBe(before);
    writer.close();
  });

  test('stays as it is while a scan of the same connection goes on, and when it was closed', async () => {
    const { path, writer, write } = open();
    const log = new LogBound(writer, path, 100_000);
    write(200_000);
    const rows = writer.prepare('SELECT key FROM schema_info').iterate();
    rows.next();
    log.committed();
    await sleep(100);
    rows.return?.();

    expect(await comes(() => logBytes(path) === 0)).toBe(true);

    write(200_000);
    log.committed();
    writer.close();
    // An exception of the timer would end the process.
    await sleep(50);
  });

  test('is bounded by the queue of a writer with a reader at every commit, and no write waits for that', async () => {
    const { path, writer, write } = open();
    const queue = new WriteQueue(writer, path);
    let reader = startReader(path);
    // Short readers without a gap between them.
    const turningOver = setInterval(() => {
      const next = startReader(path);
      reader.close();
      reader = next;
    }, 5);
    const sizes: number[] = [];
    let longestMs = 0;
    for (let count = 0; count < 40; count += 1) {
      const startedMs = performance.now();
      await queue.run(() => write(MIB));
      longestMs = Math.max(longestMs, performance.now() - startedMs);
      sizes.push(logBytes(path));
      await sleep(40);
    }
    clearInterval(turningOver);

    // Without the bound it grows to 40 MiB.
    expect(Math.max(...sizes)).toBeGreaterThan(16 * MIB);
    expect(Math.max(...sizes)).toBeLessThan(30 * MIB);
    expect(longestMs).toBeLessThan(4_000);
    reader.close();
    writer.close();
  });
});
