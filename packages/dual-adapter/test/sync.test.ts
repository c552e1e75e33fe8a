import { isStorageError, type TreePath } from '@deespec/domain';
import { describe, expect, test } from '@jest/globals';

import type { Truth } from '../src/decide.js';
import type { SyncAction } from '../src/sync-report.js';
import { syncTrees } from '../src/sync-trees.js';
import { failure } from './memory-files.js';
import { directory, put, setUp, store, text, type Setup } from './sync-setup.js';

function inDatabase({ database }: Setup, path: string): string | undefined {
  return database.tables.rows.get(path as TreePath)?.bytes.toString();
}

function onDisk({ disk }: Setup, path: string): string | undefined {
  return disk.nodes.get(path as TreePath)?.bytes.toString();
}

describe('syncTrees', () => {
  test('imports a tree, then writes nothing and reads nothing', async () => {
    const setup = setUp();
    setup.disk.put('d' as TreePath, directory);
    put(setup, 'd/f', 'x');
    put(setup, 'big', 'y'.repeat(3_000_000));
    setup.world.nowMs += 10_000;

    const first = await syncTrees(setup);
    setup.files.read = () => {
      throw new Error('read');
    };
    const second = await syncTrees(setup);

    expect(first).toMatchObject({
      scanned: 3,
      imported: 3,
      unchanged: 0,
      wrote: 3,
      failed: [],
      unstable: [],
    });
    expect(second).toMatchObject({ scanned: 3, imported: 0, unchanged: 3, wrote: 0 });
    expect(inDatabase(setup, 'big')).toHaveLength(3_000_000);
  });

  test('reads again what was young when it was seen, until it is not', async () => {
    const setup = setUp();
    put(setup, 'f', 'x');
    await syncTrees(setup);
    const node = setup.disk.nodes.get('f' as TreePath)!;
    node.bytes = Buffer.from('y');
    setup.world.nowMs += 10_000;

    await syncTrees(setup);

    expect(inDatabase(setup, 'f')).toBe('y');
    expect((await syncTrees(setup)).wrote).toBe(0);
  });

  test('takes over what one side changed, in either mode', async () => {
    for (const truth of ['files', 'sqlite'] as const) {
      const setup = setUp(truth);
      for (const path of ['f', 'd', 'gone', 'dropped']) put(setup, path, 'base');
      await syncTrees(setup);
      put(setup, 'f', 'of the files');
      await store(setup, 'd', 'of the database');
      setup.disk.remove('gone' as TreePath);
      await setup.ledger.edit((tree) => ({
        edits: [
          { op: 'remove', path: 'dropped' as TreePath, expected: tree.find('dropped' as TreePath)!.sha256 },
        ],
      }));

      const report = await syncTrees(setup);

      expect(report).toMatchObject({
        imported: 1,
        projected: 1,
        removedFromDatabase: 1,
        removedFromFiles: 1,
        conflicts: [],
      });
      expect([...setup.disk.nodes.keys()].sort()).toEqual(['d', 'f']);
      expect(inDatabase(setup, 'f')).toBe('of the files');
      expect(onDisk(setup, 'd')).toBe('of the database');
      expect(setup.disk.trash.map(String)).toContain('base');
      expect((await syncTrees(setup)).wrote).toBe(0);
      expect(setup.files.fileDebts()).toEqual([]);
    }
  });

  test.each<[Truth, Truth]>([
    ['files', 'sqlite'],
    ['sqlite', 'files'],
  ])('keeps the other version when both moved and the truth is %s', async (truth, side) => {
    const setup = setUp(truth);
    put(setup, 'f', 'base');
    await syncTrees(setup);
    put(setup, 'f', 'of files');
    await store(setup, 'f', 'of sqlite');

    const report = await syncTrees(setup);

    expect([onDisk(setup, 'f'), inDatabase(setup, 'f')]).toEqual([`of ${truth}`, `of ${truth}`]);
    expect(report.conflicts).toHaveLength(1);
    expect(setup.disk.conflicts).toMatchObject([{ conflict: { path: 'f', store: side } }]);
    expect(setup.disk.conflicts[0]!.bytes.toString()).toBe(`of ${side}`);
    expect((await syncTrees(setup)).wrote).toBe(0);
  });

  test('merges the lines of a journal', async () => {
    const setup = setUp('sqlite');
    put(setup, 'j.ndjson', 'a\n');
    await syncTrees(setup);
    put(setup, 'j.ndjson', 'a\nforeign\n');
    const line = Buffer.from('ours\n');
    await setup.ledger.edit(() => ({ edits: [{ op: 'append', path: 'j.ndjson' as TreePath, line }] }));

    const report = await syncTrees(setup);

    expect(report).toMatchObject({ merged: 1, conflicts: [] });
    expect(onDisk(setup, 'j.ndjson')).toBe('a\nforeign\nours\n');
    expect(inDatabase(setup, 'j.ndjson')).toBe('a\nforeign\nours\n');
  });

  test('keeps the journal of the database when the files were rewritten', async () => {
    const setup = setUp('sqlite');
    put(setup, 'j.ndjson', 'a\nb\n');
    await syncTrees(setup);
    put(setup, 'j.ndjson', 'b\n');
    const line = Buffer.from('ours\n');
    await setup.ledger.edit(() => ({ edits: [{ op: 'append', path: 'j.ndjson' as TreePath, line }] }));

    const report = await syncTrees(setup);

    expect(report.conflicts).toHaveLength(1);
    expect(inDatabase(setup, 'j.ndjson')).toBe('b\n');
    expect(setup.disk.conflicts[0]!.bytes.toString()).toBe('a\nb\nours\n');
  });

  test('says what it would do, and does nothing', async () => {
    const setup = setUp();
    put(setup, 'f', 'x');
    await store(setup, 'd', 'y');
    const before = setup.database.tables;
    const actions: SyncAction[] = [];

    const report = await syncTrees(setup, { dryRun: true, onAction: (action) => actions.push(action) });

    expect(actions).toEqual([
      { path: 'd', action: 'write', direction: 'to-files', reason: 'new in the database' },
      { path: 'f', action: 'import', direction: 'to-database', reason: 'new in the files' },
    ]);
    expect(report.wrote).toBe(0);
    expect(setup.database.tables).toBe(before);
  });

  test('looks at nothing but what is below a path', async () => {
    const setup = setUp();
    setup.disk.put('d' as TreePath, directory);
    for (const path of ['d/f', 'd.x', 'e']) put(setup, path, 'x');

    const report = await syncTrees(setup, { below: 'd' as TreePath });

    expect(report.scanned).toBe(2);
    expect([...setup.database.tables.rows.keys()]).toEqual(['d', 'd/f']);
  });
});

describe('syncTrees, deletions', () => {
  async function vanished(count: number): Promise<Setup> {
    const setup = setUp();
    for (let index = 0; index < 40; index += 1) put(setup, `f${index}`, `${index}`);
    put(setup, 'changed', 'before');
    await syncTrees(setup);
    for (let index = 0; index < count; index += 1) setup.disk.remove(`f${index}` as TreePath);
    put(setup, 'changed', 'after');
    return setup;
  }

  test('takes over a few', async () => {
    const setup = await vanished(20);

    expect(await syncTrees(setup)).toMatchObject({ removedFromDatabase: 20 });
  });

  test('deletes nothing when many vanished, and does everything else', async () => {
    const setup = await vanished(21);

    const error: unknown = await syncTrees(setup).catch((caught: unknown) => caught);

    expect(isStorageError(error, 'SYNC.MASS_DELETION') && error.details).toMatchObject({
      deleted: 21,
      entries: 41,
      report: { imported: 1, removedFromDatabase: 0 },
    });
    expect(setup.database.tables.rows.size).toBe(41);
    expect(inDatabase(setup, 'changed')).toBe('after');
  });

  test('measures the deletions among named paths by the whole tree', async () => {
    const setup = await vanished(21);
    for (let n = 0; n < 200; n += 1) await store(setup, `more-${n}`, 'x');
    const paths = [...setup.database.tables.rows.keys()].filter((path) => !path.startsWith('more-'));

    expect(await syncTrees(setup, { paths })).toMatchObject({ removedFromDatabase: 21 });
  });

  test('counts deletions of shortly before with those of now', async () => {
    const setup = await vanished(20);

    const error: unknown = await syncTrees(setup, { deletedBefore: 1 }).catch((caught: unknown) => caught);

    expect(isStorageError(error, 'SYNC.MASS_DELETION') && error.details).toMatchObject({ deleted: 21 });
    expect(setup.database.tables.rows.size).toBe(41);
  });

  test('takes over many when it is told to, and keeps their bytes', async () => {
    const setup = await vanished(40);

    const report = await syncTrees(setup, { allowDeletions: true });

    expect(report.removedFromDatabase).toBe(40);
    expect(setup.disk.trash).toHaveLength(40);
  });
});

describe('syncTrees, failures', () => {
  test('brings the others in step when one path fails, and notes it with its debt', async () => {
    const setup = setUp('sqlite');
    for (const path of ['a', 'b', 'c']) await store(setup, path, 'x');
    const edit = setup.files.edit.bind(setup.files);
    setup.files.edit = async (plan) => {
      const [first] = plan(setup.files as never).edits;
      if (first?.op === 'put' && first.version.path === ('b' as TreePath))
        throw failure('FILE.NO_SPACE', 'b');
      return edit(plan);
    };

    const report = await syncTrees(setup);

    expect(report).toMatchObject({ projected: 2, failed: [{ path: 'b', code: 'FILE.NO_SPACE' }] });
    expect(setup.ledger.debts(10)).toMatchObject([{ path: 'b', tries: 1 }]);
  });

  test('settles the others when one settlement cannot be made', async () => {
    const setup = setUp();
    for (const path of ['a', 'b', 'c']) put(setup, path, 'x');
    const settle = setup.ledger.settle.bind(setup.ledger);
    setup.ledger.settle = async (settlements, audit) => {
      if (settlements.some(({ path }) => path === ('b' as TreePath))) throw failure('SQLITE.CONSTRAINT', 'b');
      return settle(settlements, audit);
    };

    const report = await syncTrees(setup);

    expect(report).toMatchObject({ imported: 2, failed: [{ path: 'b', code: 'SQLITE.CONSTRAINT' }] });
  });

  test('stops when the database is busy', async () => {
    const setup = setUp();
    put(setup, 'a', 'x');
    setup.ledger.settle = async () => Promise.reject(failure('SQLITE.BUSY', 'a'));

    await expect(syncTrees(setup)).rejects.toMatchObject({ code: 'SQLITE.BUSY' });
  });

  test('leaves what keeps changing for the next time', async () => {
    const setup = setUp();
    put(setup, 'a', 'x');
    put(setup, 'b', 'x');
    const read = setup.files.read.bind(setup.files);
    setup.files.read = (path) => {
      const chunks = [...read(path)];
      if (path === ('a' as TreePath)) put(setup, 'a', 'another');
      return chunks as never;
    };

    const report = await syncTrees(setup);

    expect(report).toMatchObject({ imported: 1, unstable: ['a'], failed: [] });
  });

  test('stops when it is interrupted', async () => {
    const setup = setUp();
    put(setup, 'a', 'x');

    const run = syncTrees({ ...setup, signal: AbortSignal.abort() });

    await expect(run).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });
});

describe('syncTrees, after a crash between a write and its record', () => {
  test('takes what it had put into the files for no change of them', async () => {
    const setup = setUp('sqlite');
    put(setup, 'f', 'a');
    await syncTrees(setup);
    await store(setup, 'f', 'b');
    const path = 'f' as TreePath;
    const version = { path, ...text('b') };
    const expected = setup.files.find(path)!.sha256;
    await setup.files.edit(() => ({ edits: [{ op: 'put', version, expected, isProjection: true }] }));
    await store(setup, 'f', 'c');

    const report = await syncTrees(setup);

    expect(report.conflicts).toEqual([]);
    expect([onDisk(setup, 'f'), inDatabase(setup, 'f')]).toEqual(['c', 'c']);
  });

  test('imports what an edit of the files themselves put there', async () => {
    const setup = setUp('sqlite');
    put(setup, 'f', 'a');
    await syncTrees(setup);
    const version = { path: 'f' as TreePath, ...text('b') };
    const expected = setup.files.find(version.path)!.sha256;
    await setup.files.edit(() => ({ edits: [{ op: 'put', version, expected }] }));

    const report = await syncTrees(setup);

    expect(report).toMatchObject({ imported: 1, projected: 0, conflicts: [] });
    expect([onDisk(setup, 'f'), inDatabase(setup, 'f')]).toEqual(['b', 'b']);
  });

  test('keeps what another program put there', async () => {
    const setup = setUp('sqlite');
    put(setup, 'f', 'a');
    await syncTrees(setup);
    put(setup, 'f', 'by another program');
    await store(setup, 'f', 'c');

    const report = await syncTrees(setup);

    expect(report.conflicts).toHaveLength(1);
    expect(setup.disk.conflicts[0]!.bytes.toString()).toBe('by another program');
  });
});

describe('syncTrees, earlier versions', () => {
  const earlier = async (path: TreePath) =>
    path === ('d/f' as TreePath) ? ('d/old/f' as TreePath) : undefined;

  test('keeps what an import replaces in both stores', async () => {
    const setup = setUp();
    setup.disk.put('d' as TreePath, directory);
    put(setup, 'd/f', 'first run');
    await syncTrees({ ...setup, earlier });
    put(setup, 'd/f', 'second run');

    await syncTrees({ ...setup, earlier });

    expect([onDisk(setup, 'd/old/f'), inDatabase(setup, 'd/old/f')]).toEqual(['first run', 'first run']);
    expect(inDatabase(setup, 'd/f')).toBe('second run');
    expect((await syncTrees({ ...setup, earlier })).wrote).toBe(0);
  });

  test('keeps a conflict when the place is taken', async () => {
    const setup = setUp();
    for (const path of ['d', 'd/old']) setup.disk.put(path as TreePath, directory);
    put(setup, 'd/f', 'first run');
    put(setup, 'd/old/f', 'somebody else');
    await syncTrees({ ...setup, earlier });
    put(setup, 'd/f', 'second run');

    const report = await syncTrees({ ...setup, earlier });

    expect(report.conflicts).toHaveLength(1);
    expect(setup.disk.conflicts[0]!.bytes.toString()).toBe('first run');
  });
});
