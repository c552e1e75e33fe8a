import { afterAll, describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';

import { openConnection } from '../src/connection.js';
import { openHandle } from '../src/index.js';
import { WriteQueue } from '../src/write-queue.js';
import { emptyDatabase, removeDirectories } from './support.js';

afterAll(removeDirectories);

async function open() {
  const path = emptyDatabase();
  const connection = await openConnection(path, 'write');
  const put = connection.handle.prepare('INSERT INTO schema_info (key, value) VALUES (?, ?)');
  const keys = () =>
    connection.handle.prepare(`SELECT key FROM schema_info WHERE length(key) = 1 ORDER BY key`).pluck().all();
  return { path, connection, queue: new WriteQueue(connection.handle, path), put, keys };
}

describe('WriteQueue', () => {
  test('keeps an acknowledged write when an overlapping one fails', async () => {
    const { connection, queue, put, keys } = await open();
    const failing = queue.run(() => {
      put.run('a', '1');
      throw new Error('no');
    });
    const passing = queue.run(() => put.run('b', '2'));

    await expect(failing).rejects.toThrow('no');
    await passing;

    expect(keys()).toEqual(['b']);
    await connection.close();
  });

  test('runs writes in the order they were queued', async () => {
    const { connection, queue } = await open();
    const order: number[] = [];

    await Promise.all([1, 2, 3, 4].map((n) => queue.run(() => order.push(n))));

    expect(order).toEqual([1, 2, 3, 4]);
    await connection.close();
  });

  test('waits for another process without blocking the event loop', async () => {
    const { path, connection, queue, put, keys } = await open();
    const other = openHandle(path, 'write');
    other.exec('BEGIN IMMEDIATE');

    // The lock is released by this very event loop: a queue that blocked it would wait in vain.
    const write = queue.run(() => put.run('c', '3'));
    await sleep(150);
    other.exec('ROLLBACK');
    other.close();
    await write;

    expect(keys()).toEqual(['c']);
    await connection.close();
  });
});
