import { openHandle } from '@deespec/sqlite-adapter';
import { afterEach, describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';

import { takeAlone } from '../src/alone.js';
import { takeBarrier } from '../src/barrier.js';
import { readEpoch, writeEpoch } from '../src/epoch-file.js';
import { locksOn } from '../src/file-locks.js';
import { homePaths } from '../src/home.js';
import { openStorage, setMode } from '../src/index.js';
import { generatedTree, migratedTree, removeDirectories } from './support.js';

afterEach(removeDirectories);

describe('While a command has the tree to itself', () => {
  test('a service that starts waits until it ends', async () => {
    const home = generatedTree();
    const release = takeBarrier(homePaths(home), { access: 'exclusive', command: 'mode set' });

    const opening = openStorage({ home });
    await sleep(300);
    release();
    const storage = await opening;

    expect((await storage.createSbi({ title: 'made after the wait' })).status).toBe('READY');
    await storage.close();
  });

  test('a call of a running service waits likewise', async () => {
    const home = generatedTree();
    const storage = await openStorage({ home });
    const release = takeBarrier(homePaths(home), { access: 'exclusive', command: 'mode set' });

    const creating = storage.createSbi({ title: 'waited' });
    await sleep(300);
    release();

    expect((await creating).status).toBe('READY');
    await storage.close();
  });

  test('a service that owes lets go of the database once another epoch has begun', async () => {
    const home = await migratedTree();
    const paths = homePaths(home);
    await setMode({ home, mode: 'dual_write' });
    const storage = await openStorage({ home });
    await storage.settled();
    const payer = openHandle(paths.payerLock, 'lock');
    payer.exec('BEGIN IMMEDIATE');
    await storage.setConfig('setting.max_turns', '4');
    const release = await takeAlone(paths, 'restore');
    payer.close();
    // The payment has its turn, and waits for the barrier.
    await sleep(200);
    const record = readEpoch(paths)!;
    writeEpoch(paths, { ...record, epoch: record.epoch + 1 });

    await sleep(2_000);

    expect(locksOn(paths.database)).toEqual([]);
    release();
    await storage.close();
  });
});
