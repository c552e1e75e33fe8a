import { parseSbiId, type StorageMode } from '@deespec/domain';
import { afterEach, describe, expect, test } from '@jest/globals';
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import {
  exportTree,
  getMode,
  listConflicts,
  migrate,
  openStorage,
  setMode,
  sync,
  verify,
} from '../src/index.js';
import {
  expectError,
  generatedTree,
  migratedTree,
  put,
  removeDirectories,
  temporaryDirectory,
} from './support.js';

afterEach(removeDirectories);

const settings = (home: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(home, 'setting.json'), 'utf8')) as Record<string, unknown>;

describe('A change of mode', () => {
  test('goes up and down, and setting.json says in the end what it said at first', async () => {
    const home = await migratedTree();
    const original = readFileSync(join(home, 'setting.json'));
    const seen: (readonly [StorageMode, number])[] = [];

    for (const mode of ['dual_write', 'sqlite', 'dual_write', 'file', 'sqlite', 'file'] as const) {
      const report = await setMode({ home, mode });
      seen.push([report.mode, report.epoch]);
      expect(readdirSync(join(home, '.storage/dirty'))).toEqual([]);
      expect((await verify({ home, checkAll: true })).differences).toEqual([]);
    }

    expect(seen.map(([mode]) => mode)).toEqual([
      'dual_write',
      'sqlite',
      'dual_write',
      'file',
      'sqlite',
      'file',
    ]);
    expect(seen.map(([, epoch]) => epoch)).toEqual([2, 3, 4, 5, 6, 7]);
    expect(readFileSync(join(home, 'setting.json')).equals(original)).toBe(true);
  });

  test('brings what the files changed since the migration into the database first', async () => {
    const home = await migratedTree();
    put(home, 'knowledge/later.md', '# Later\n');
    const storage = await openStorage({ home });
    await storage.setConfig('setting.max_turns', '7');
    await storage.close();

    const report = await setMode({ home, mode: 'sqlite' });

    expect(report).toMatchObject({ mode: 'sqlite', changed: true });
    expect(await sync({ home })).toMatchObject({ wrote: 0 });
  });

  test('is refused without a database, to sqlite_only, and with an open conflict', async () => {
    const bare = generatedTree();
    const home = await migratedTree();
    await setMode({ home, mode: 'dual_write' });
    const files = (await import('@deespec/file-adapter')).openFileStorage({ home }).store;
    const spec = [...files.scan()].find(({ path }) => path.endsWith('/spec.md'))!;
    const { path, kind, mode, mtimeNs, size, sha256 } = files.find(spec.path)!;
    const kept = { path, kind, mode, mtimeNs, size, sha256 };
    files.keepConflict({ ...kept, store: 'sqlite', at: '2026-01-01T00:00:00.000000000Z', reason: 'test' }, [
      Buffer.from('x'),
    ]);

    await expectError(setMode({ home: bare, mode: 'dual_write' }), 'DATABASE.NOT_FOUND');
    await expectError(setMode({ home, mode: 'sqlite_only' }), 'MODE.REFUSED');
    await expectError(setMode({ home, mode: 'sqlite' }), 'MODE.REFUSED');
    expect(await getMode({ home })).toMatchObject({ mode: 'dual_write', epoch: 2 });
  });

  test('keeps what was written in sqlite when it goes back to file', async () => {
    const home = await migratedTree();
    await setMode({ home, mode: 'sqlite' });
    const storage = await openStorage({ home });
    const made = await storage.createSbi({ title: 'written in sqlite', spec: '# Kept\n' });
    await storage.close();

    await setMode({ home, mode: 'file' });

    expect(readFileSync(join(home, 'specs/sbi', made.id, 'spec.md'), 'utf8')).toBe('# Kept\n');
  });

  test('is followed by a service that runs', async () => {
    const home = await migratedTree();
    const storage = await openStorage({ home });
    const made: string[] = [];
    for (const mode of ['dual_write', 'sqlite', 'file'] as const) {
      made.push((await storage.createSbi({ title: `before ${mode}` })).id);
      await setMode({ home, mode });
    }
    made.push((await storage.createSbi({ title: 'last' })).id);

    expect(storage.mode).toBe('file');
    for (const id of made) expect((await storage.getSbi(parseSbiId(id))).id).toBe(id);
    await storage.close();
  });

  test('is followed by a service that makes no calls: it lets go of the database', async () => {
    const home = await migratedTree();
    await setMode({ home, mode: 'sqlite' });
    const storage = await openStorage({ home });
    await setMode({ home, mode: 'file' });
    put(home, 'knowledge/later.md', '# Later\n');

    await sleep(2_500);
    const report = await migrate({ home });

    expect(report.outcome).toBe('updated');
    await storage.close();
  });

  test('leaves the exported setting.json as it was before', async () => {
    const home = await migratedTree();
    const original = readFileSync(join(home, 'setting.json'));
    await setMode({ home, mode: 'sqlite' });
    const output = join(temporaryDirectory(), 'copy');

    await exportTree({ home, output });

    expect(readFileSync(join(output, 'setting.json')).equals(original)).toBe(true);
    expect(existsSync(join(output, '.storage'))).toBe(false);
  });
});

describe('An edit of storage_mode by hand', () => {
  test('is a request: refused until granted, and loses no setting', async () => {
    const home = await migratedTree();
    const before = settings(home);
    writeFileSync(join(home, 'setting.json'), '{"storage_mode": "sqlite"}\n');

    await expectError(openStorage({ home }), 'MODE.NOT_GRANTED');
    await expectError(migrate({ home }), 'MODE.NOT_GRANTED');
    const report = await setMode({ home });

    expect(report).toMatchObject({ mode: 'sqlite', changed: true });
    expect(report.restored?.keys.toSorted()).toEqual(Object.keys(before).toSorted());
    expect(settings(home)).toEqual({ ...before, storage_mode: 'sqlite' });
    expect(await listConflicts({ home })).toMatchObject([
      { id: report.restored?.kept, path: 'setting.json' },
    ]);
  });

  test('keeps the request and the settings when it cannot be granted', async () => {
    const home = await migratedTree();
    const before = settings(home);
    writeFileSync(join(home, 'setting.json'), '{"storage_mode": "sqlite_only"}\n');

    await expectError(setMode({ home }), 'MODE.REFUSED');
    expect(settings(home)).toEqual({ storage_mode: 'sqlite_only' });
    await setMode({ home, mode: 'file' });
    expect(settings(home)).toEqual(before);
  });

  test('of a mode that is in force is no edit', async () => {
    const home = await migratedTree();
    await setMode({ home, mode: 'dual_write' });
    appendFileSync(join(home, 'setting.json'), '\n');

    const storage = await openStorage({ home });

    expect(storage.mode).toBe('dual_write');
    await storage.close();
    expect(await setMode({ home })).toMatchObject({ changed: false, epoch: 2 });
    rmSync(join(home, 'setting.json'));
    await expectError(openStorage({ home }), 'MODE.NOT_GRANTED');
    expect(await setMode({ home, mode: 'dual_write' })).toMatchObject({ changed: false, epoch: 2 });
    expect(settings(home)['storage_mode']).toBe('dual_write');
    expect(await sync({ home })).toMatchObject({ wrote: 0 });
  });
});
