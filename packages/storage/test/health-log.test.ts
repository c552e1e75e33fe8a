import { openHandle } from '@deespec/sqlite-adapter';
import { afterAll, describe, expect, test } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { locksOn } from '../src/file-locks.js';
import { openStorage, readHealth } from '../src/index.js';
import { checkOf, foundBy, treeIn } from './health-support.js';
import { startHolder } from './holder.js';
import { removeDirectories } from './support.js';

afterAll(removeDirectories);

/** A process that reads the database until it is ended: it sees it as it was at its first read. */
async function startReader(home: string): Promise<ChildProcess> {
  const program = `
    import Database from 'better-sqlite3';
    const reader = new Database(${JSON.stringify(join(home, 'deespec.db'))}, { readonly: true });
    reader.exec('BEGIN DEFERRED');
    reader.prepare('SELECT count(*) FROM sbi').get();
    console.log('reads');
    setInterval(() => {}, 1000);`;
  const reader = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: new URL('..', import.meta.url).pathname,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(reader.stdout, 'data');
  return reader;
}

async function endOf(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

const limits = { walBytes: 100_000 };

describe('A log that a reader keeps', () => {
  test('is a warning that names the reader, and none when the reader has ended', async () => {
    const home = await treeIn('sqlite');
    const storage = await openStorage({ home });
    await storage.setConfig('setting.max_turns', '1');
    const reader = await startReader(home);
    for (let turn = 0; turn < 10; turn += 1) await storage.setConfig('setting.max_turns', String(turn));
    await storage.settled();

    const kept = await readHealth({ home, limits });
    await endOf(reader);
    await storage.close();

    expect(foundBy(kept)).toEqual({ log: 'warn' });
    expect(checkOf(kept, 'log').value).toContain(`(pid ${reader.pid})`);
    expect(checkOf(kept, 'log').fix).toContain('end the program that reads');
    expect(kept.numbers['wal_bytes']).toBeGreaterThan(limits.walBytes);
    expect(kept.numbers['wal_readers']).toBe(1);
    expect((await readHealth({ home, limits })).numbers).toMatchObject({ wal_bytes: 0, wal_readers: 0 });
  });

  test('does not drop the locks of the process that looks', async () => {
    const home = await treeIn('sqlite');
    const own = openHandle(join(home, 'deespec.db'), 'write');
    own.pragma('journal_mode = WAL');
    own.exec('BEGIN IMMEDIATE');
    own.exec(`UPDATE schema_info SET value = value WHERE key = 'version'`);

    await readHealth({ home });

    const locks = locksOn(join(home, 'deespec.db-shm')) ?? [];
    expect(locks.filter(({ pid, access }) => pid === process.pid && access === 'exclusive')).toHaveLength(1);
    own.exec('ROLLBACK');
    own.close();
  });
});

describe('A tree that somebody has', () => {
  test('to itself is a warning that names the command, and nothing else of it is looked at', async () => {
    const home = await treeIn('file');
    const holder = await startHolder(home, 'exclusive', 'migrate');

    const report = await readHealth({ home });
    await holder.kill();

    expect(foundBy(report)).toEqual({ lock: 'warn', database: 'warn' });
    expect(checkOf(report, 'lock').value).toContain(`migrate (pid ${holder.pid} on `);
    expect(report.numbers).toMatchObject({ lock_held: 1 });
  });

  test('shared is good, and named', async () => {
    const home = await treeIn('file');
    const holder = await startHolder(home, 'shared', 'verify');

    const report = await readHealth({ home });
    await holder.kill();

    expect(foundBy(report)).toEqual({});
    expect(checkOf(report, 'lock').value).toContain(`shared by verify (pid ${holder.pid} on `);
  });

  test('alone cannot be read through, and the probe says so', async () => {
    const home = await treeIn('file');
    const holder = await startHolder(home, 'exclusive', 'migrate');

    const report = await readHealth({ home, deep: true });
    await holder.kill();

    expect(foundBy(report)).toEqual({ lock: 'warn', database: 'warn', last: 'warn' });
    expect(checkOf(report, 'last').code).toBe('LOCK.HELD');
  });
});
