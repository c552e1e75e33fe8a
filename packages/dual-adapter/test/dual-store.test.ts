import { StorageError, type StorageError as Problem, type TreePath } from '@deespec/domain';
import { describe, expect, test } from '@jest/globals';

import type { Truth } from '../src/decide.js';
import { DualStore, type DualStoreOptions } from '../src/dual-store.js';
import { Disk, failure, MemoryFiles } from './memory-files.js';
import { Database, MemoryLedger } from './memory-ledger.js';
import { World } from './world.js';

const path = 'f' as TreePath;

function setUp(truth: Truth, options: Pick<DualStoreOptions, 'guard'> = {}) {
  const world = new World(1);
  const disk = new Disk(world);
  const database = new Database(world);
  const files = new MemoryFiles(disk, { owes: truth === 'files' });
  const ledger = new MemoryLedger(database, { owes: truth === 'sqlite' });
  const problems: Problem[] = [];
  const onProblem = (problem: Problem): void => void problems.push(problem);
  const store = new DualStore({ truth, files, ledger, now: world.now, onProblem, retryMs: 5, ...options });
  const put = async (text: string) => {
    const version = { path, kind: 'file', mode: 0o644, bytes: Buffer.from(text) } as const;
    const note = {
      timestamp: '2026-01-02T03:04:05.000000000Z',
      entityType: 't',
      entityId: 'e',
      action: text,
    };
    return store.edit((tree) => ({
      edits: [{ op: 'put', version, expected: tree.find(path)?.sha256 }],
      audit: [note],
    }));
  };
  const both = () => [
    disk.nodes.get(path)?.bytes.toString(),
    database.tables.rows.get(path)?.bytes.toString(),
  ];
  return { disk, database, files, ledger, store, put, both, problems };
}

describe.each<Truth>(['files', 'sqlite'])('DualStore with the truth in %s', (truth) => {
  test('acknowledges before the other store follows, then follows', async () => {
    const { store, put, both, disk, database } = setUp(truth);

    await put('x');
    expect(store.debtCount()).toBe(1);
    await store.settled();

    expect(both()).toEqual(['x', 'x']);
    expect(store.debtCount()).toBe(0);
    expect(disk.audit).toHaveLength(1);
    expect(disk.audit).toEqual(database.tables.audit);
    await store.close();
  });

  test('never fails the caller, keeps the debt and tries again', async () => {
    const { files, ledger, store, put, both, problems } = setUp(truth);
    let isBroken = true;
    const settle = ledger.settle.bind(ledger);
    ledger.settle = async (...all) => {
      if (isBroken) throw failure('SQLITE.BUSY', 'the database');
      return settle(...all);
    };
    const edit = files.edit.bind(files);
    if (truth === 'sqlite') {
      files.edit = async (plan) => {
        if (isBroken) throw failure('FILE.NO_SPACE', 'the disk');
        return edit(plan);
      };
    }

    await put('x');
    await expect(store.settled()).rejects.toMatchObject({
      code: truth === 'files' ? 'SQLITE.BUSY' : 'FILE.NO_SPACE',
    });
    expect(store.debtCount()).toBe(1);
    expect(problems.length).toBeGreaterThan(0);
    isBroken = false;
    await store.settled();

    expect(both()).toEqual(['x', 'x']);
    await store.close();
  });

  test('tries again by itself', async () => {
    let calls = 0;
    let paid: () => void = () => undefined;
    const isPaid = new Promise<void>((resolve) => (paid = resolve));
    const guard = async <T>(work: () => Promise<T>): Promise<T> => {
      calls += 1;
      if (calls < 3) throw new StorageError('LOCK.HELD', 'the barrier is held', { hint: 'wait' });
      const result = await work();
      paid();
      return result;
    };
    const { store, put, both, problems } = setUp(truth, { guard });
    // What keeps the process alive while the store, which does not, waits.
    const alive = setInterval(() => undefined, 1_000);

    await put('x');
    await isPaid;
    clearInterval(alive);

    expect(both()).toEqual(['x', 'x']);
    expect(problems.map(({ code }) => code)).toEqual(['LOCK.HELD', 'LOCK.HELD']);
    await store.close();
  });

  test('pays what an earlier process left', async () => {
    const { files, ledger, store, put, both } = setUp(truth, {
      guard: async () => Promise.reject(failure('LOCK.HELD', 'the barrier')),
    });
    await put('x');
    await store.close();
    const next = new DualStore({ truth, files, ledger });

    await next.settled();

    expect(both()).toEqual(['x', 'x']);
    await next.close();
  });

  test('closes once, after the round that is at work', async () => {
    const { files, store, put, both } = setUp(truth);
    let closed = 0;
    files.close = async () => void (closed += 1);
    await put('x');

    await Promise.all([store.close(), store.close()]);
    await store.close();

    expect(closed).toBe(1);
    expect(both().filter((text) => text === 'x').length).toBeGreaterThan(0);
    await expect(store.settled()).resolves.toBeUndefined();
  });

  test('pays a debt that cannot be paid for one path without holding up the others', async () => {
    const { files, ledger, store, put, problems } = setUp(truth);
    const other = { path: 'g' as TreePath, kind: 'file', mode: 0o644, bytes: Buffer.from('y') } as const;
    const refuse = (at: string): void => {
      if (at === path) throw failure('FILE.PERMISSION', at);
    };
    const settle = ledger.settle.bind(ledger);
    const edit = files.edit.bind(files);
    await put('x');
    ledger.settle = async (items, audit) => {
      items.forEach((item) => refuse(item.path));
      return settle(items, audit);
    };
    if (truth === 'sqlite') {
      files.edit = async (plan) => {
        const [first] = plan(files as never).edits;
        if (first?.op === 'put') refuse(first.version.path);
        return edit(plan);
      };
    }

    await store.edit(() => ({ edits: [{ op: 'put', version: other, expected: undefined }] }));
    await expect(store.settled()).rejects.toMatchObject({ code: 'FILE.PERMISSION' });

    expect(store.debtCount()).toBe(1);
    expect(problems.at(-1)!.code).toBe('FILE.PERMISSION');
    expect(files.find(other.path)!.sha256).toBe(ledger.find(other.path)!.sha256);
    await store.close();
  });
});
