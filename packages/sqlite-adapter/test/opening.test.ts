import { afterEach, expect, test } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

import { openHandle, openSqliteStorage } from '../src/index.js';
import { freshStorage, removeDirectories } from './support.js';

afterEach(removeDirectories);

/** How long the other process is alone, milliseconds: as one that opens a database first, or closes it last. */
const ALONE_MS = 300;

/** A process that is alone with a database for a moment, from when this resolves. */
async function aloneFor(path: string, ms: number): Promise<ChildProcess> {
  const program = `
    const handle = new (require('better-sqlite3'))(process.argv[1]);
    handle.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    console.log('alone');
    setTimeout(() => handle.close(), ${ms});`;
  const child = spawn(process.execPath, ['-e', program, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

const ways: readonly (readonly [string, (path: string) => Promise<unknown>])[] = [
  ['to look at it', async (path) => openHandle(path, 'look').close()],
  ['to read it', async (path) => openHandle(path, 'read').close()],
  ['to write to it', async (path) => openHandle(path, 'write').close()],
  ['for a service', async (path) => (await openSqliteStorage({ path })).close()],
];

test.each(ways)(
  'who opens a database %s waits for another process that is alone with it for a moment',
  async (_, open) => {
    const { storage, path } = await freshStorage();
    await storage.close();
    const other = await aloneFor(path, ALONE_MS);

    await open(path);

    if (other.exitCode === null) await once(other, 'exit');
    expect(other.exitCode).toBe(0);
  },
);
