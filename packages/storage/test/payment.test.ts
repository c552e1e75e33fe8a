import { openHandle } from '@deespec/sqlite-adapter';
import { afterEach, describe, expect, test } from '@jest/globals';

import { homePaths } from '../src/home.js';
import { openStorage, setMode } from '../src/index.js';
import { migratedTree, removeDirectories } from './support.js';

afterEach(removeDirectories);

describe('What the files owe', () => {
  test('is paid while others write to the files', async () => {
    const home = await migratedTree();
    await setMode({ home, mode: 'dual_write' });
    const { payerLock, writerLock } = homePaths(home);
    const storage = await openStorage({ home });
    await storage.setConfig('setting.max_turns', '3');
    await storage.settled();
    const payer = openHandle(payerLock, 'lock');
    payer.exec('BEGIN IMMEDIATE');
    await storage.setConfig('setting.max_turns', '4');
    const writer = openHandle(writerLock, 'lock');
    writer.exec('BEGIN IMMEDIATE');

    payer.close();
    await storage.settled();

    expect(writer.inTransaction).toBe(true);
    writer.close();
    await storage.close();
  });
});
