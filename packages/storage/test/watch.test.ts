import { isStorageError, type StorageError } from '@deespec/domain';
import { afterEach, describe, expect, test } from '@jest/globals';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { homePaths } from '../src/home.js';
import { setMode, sync, watchTree, type SyncResult } from '../src/index.js';
import { Patrol } from '../src/patrol.js';
import { openSyncStores } from '../src/sync.js';
import { DirectoryWatch } from '../src/watch-directories.js';
import { WriterLock } from '../src/writer-lock.js';
import { migratedTree, put, removeDirectories } from './support.js';

afterEach(removeDirectories);

const FILES = 60;

/** A tree in mode dual_write with many small files in one directory. */
async function dualTree(): Promise<string> {
  const home = await migratedTree();
  for (let n = 0; n < FILES; n += 1) put(home, `many/f${n}`, `${n}`);
  await setMode({ home, mode: 'dual_write' });
  return home;
}

describe('watchTree', () => {
  test('does not take over piece by piece what is too much at once', async () => {
    const home = await dualTree();
    const stop = new AbortController();
    const passes: SyncResult[] = [];
    const watching = watchTree({ home, signal: stop.signal, onPass: (pass) => passes.push(pass) }).catch(
      (error: unknown) => error as StorageError,
    );
    while (passes.length === 0) await sleep(20);
    const removed = (): number => passes.reduce((sum, pass) => sum + pass.removedFromDatabase, 0);

    for (let n = 0; n < 15; n += 1) rmSync(join(home, `many/f${n}`));
    while (removed() < 15) await sleep(20);
    for (let n = 15; n < 30; n += 1) rmSync(join(home, `many/f${n}`));
    const error = await watching;
    stop.abort();

    expect(isStorageError(error, 'SYNC.MASS_DELETION') && error.details).toMatchObject({ deleted: 30 });
    expect(removed()).toBe(15);
  });
});

describe('Patrol', () => {
  test('finds what nobody heard of: what changed at once, what is gone when it has seen everything', async () => {
    const home = await dualTree();
    await sleep(2_100);
    await sync({ home });
    const paths = homePaths(home);
    const writers = new WriterLock(paths);
    const stores = await openSyncStores(paths, 'dual_write', writers);
    const watch = new DirectoryWatch(paths.home, () => undefined);
    const patrol = new Patrol(watch);

    expect(patrol.goOn(stores)).toEqual({ changed: [], settled: [] });
    patrol.demand();
    expect(patrol.goOn(stores)).toEqual({ changed: [], settled: [] });
    writeFileSync(join(home, 'many/f1'), 'changed');
    rmSync(join(home, 'many/f2'));
    mkdirSync(join(home, 'new'));
    patrol.demand();
    const found = patrol.goOn(stores);

    expect(found.changed).toEqual(['many/f1']);
    expect([...found.settled].sort()).toEqual(['many', 'many/f2', 'new']);
    watch.close();
    await stores.close();
    await writers.close();
  });
});
