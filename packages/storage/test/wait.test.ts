import { afterEach, describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';

import { takeBarrier } from '../src/barrier.js';
import { homePaths } from '../src/home.js';
import { openStorage } from '../src/index.js';
import { generatedTree, removeDirectories } from './support.js';

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
});
