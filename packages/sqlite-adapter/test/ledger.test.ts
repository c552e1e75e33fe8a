import {
  pathFromText,
  putIf,
  type AuditNote,
  type Projection,
  type SbiId,
  type Settlement,
  type TreePath,
} from '@deespec/domain';
import { chainAudit, CHAIN_START, Overlay } from '@deespec/layout';
import { checks } from '@deespec/validators';
import { afterAll, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';

import { checkIndex, openHandle } from '../src/index.js';
import type { SqliteTreeStore } from '../src/sqlite-tree-store.js';
import { freshStorage, removeDirectories } from './support.js';

afterAll(removeDirectories);

const now = () => new Date('2026-01-02T03:04:05Z');
const since = '2026-01-02T03:04:05.000000000Z';
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const at = pathFromText;

const put = (store: SqliteTreeStore, path: string, text: string) =>
  putIf(
    store,
    { path: at(path), kind: 'file', mode: 0o644, bytes: Buffer.from(text) },
    store.find(at(path))?.sha256,
  );
const makeDirectory = (store: SqliteTreeStore, path: string) =>
  putIf(store, { path: at(path), kind: 'directory', mode: 0o755, bytes: Buffer.alloc(0) }, undefined);
const discard = (store: SqliteTreeStore, path: string) =>
  store.edit(() => ({ edits: [{ op: 'discard', path: at(path) }] }));

/** Opens a storage that owes, and checks it at the end. */
function onStore(work: (store: SqliteTreeStore) => Promise<void>, owes = true): () => Promise<void> {
  return async () => {
    const { storage, close } = await freshStorage({ now, owes });
    await work(storage.store);
    await close();
  };
}

function projection(path: string, text: string, more: Partial<Projection> = {}): Projection {
  const stat = { path: at(path), kind: 'file', mode: 0o644, mtimeNs: 7n, size: text.length } as const;
  return { ...stat, sha256: sha256(text), ctimeNs: 8n, ino: 9n, seenAtMs: 10, ...more };
}

/** A settlement of a path whose entry stays as it is. */
function keep(store: SqliteTreeStore, path: string, more: Partial<Settlement> = {}): Settlement {
  return {
    path: at(path),
    expected: store.find(at(path)),
    change: { op: 'none' },
    projection: undefined,
    ...more,
  };
}

function imported(store: SqliteTreeStore, path: string, text: string): Settlement {
  const stat = { path: at(path), kind: 'file', mode: 0o600, mtimeNs: 5n, size: text.length } as const;
  const content = { bytes: Buffer.from(text), sha256: sha256(text) };
  return keep(store, path, { change: { op: 'import', stat, content } });
}

describe('Debts', () => {
  test(
    'are noted in the order of the changes, once a path, for its newest change',
    onStore(async (store) => {
      await put(store, 'a', '1');
      await put(store, 'b', '1');
      const first = store.debts(10);
      await put(store, 'a', '2');

      expect(first.map(({ path }) => path)).toEqual(['a', 'b']);
      expect(first[0]).toEqual({ path: 'a', rev: first[0]!.rev, since, tries: 0 });
      expect(store.debts(10).map(({ path }) => path)).toEqual(['b', 'a']);
      expect(store.debtOf(at('a'))!.rev).toBeGreaterThan(first[1]!.rev);
      expect(store.debts(1)).toHaveLength(1);
      expect(store.countDebts()).toBe(2);
    }),
  );

  test('keep their turn when the path changes again', async () => {
    let nowMs = Date.UTC(2026, 0, 2);
    const { storage, close } = await freshStorage({ now: () => new Date((nowMs += 1_000)), owes: true });
    const { store } = storage;
    await put(store, 'hot', '1');
    await put(store, 'other', '1');
    await put(store, 'hot', '2');

    expect(store.debts(10).map(({ path }) => path)).toEqual(['hot', 'other']);
    await close();
  });

  test(
    'of a directory that is discarded are those of all it held',
    onStore(async (store) => {
      await makeDirectory(store, 'd');
      await put(store, 'd/f', '1');

      await discard(store, 'd');

      expect(store.debts(10).map(({ path }) => path)).toEqual(['d/f', 'd']);
    }),
  );

  test(
    'count failures until the path changes again',
    onStore(async (store) => {
      await put(store, 'a', '1');
      await store.noteFailure(at('a'), 'no space');
      await store.noteFailure(at('a'), `still\0no space \ud800`);

      expect(store.debtOf(at('a'))).toMatchObject({ tries: 2, lastError: 'still?no space \ufffd' });
      await put(store, 'a', '2');
      expect(store.debtOf(at('a'))).not.toHaveProperty('lastError');
    }),
  );

  test(
    'are cleared for the change that was paid, not for a newer one',
    onStore(async (store) => {
      await put(store, 'a', '1');
      const { rev } = store.debtOf(at('a'))!;
      await put(store, 'a', '2');

      expect(
        await store.settle([keep(store, 'a', { clears: rev, projection: projection('a', '2') })]),
      ).toEqual([]);
      expect(store.debtOf(at('a'))).toBeDefined();

      await store.settle([keep(store, 'a', { clears: store.debtOf(at('a'))!.rev })]);
      expect(store.debtOf(at('a'))).toBeUndefined();
      expect(store.countDebts()).toBe(0);
    }),
  );

  test(
    'are none when no files follow, nor of an edit that fails, nor of what is imported',
    onStore(async (store) => {
      await expect(
        store.edit(() => ({
          edits: [
            { op: 'append', path: at('log.ndjson'), line: Buffer.from('x\n') },
            { op: 'remove', path: at('none'), expected: '' },
          ],
        })),
      ).rejects.toMatchObject({ code: 'FILE.NOT_FOUND' });
      await store.settle([imported(store, 'a', 'x')]);

      expect(store.debts(10)).toEqual([]);
      expect(store.find(at('log.ndjson'))).toBeUndefined();
      const { storage, close } = await freshStorage({ now });
      await put(storage.store, 'a', '1');
      expect(storage.store.countDebts()).toBe(0);
      await close();
    }),
  );
});

describe('Settlements', () => {
  test(
    'leave a path alone whose entry moved since they were decided, and carry out the others',
    onStore(async (store) => {
      for (const path of ['moved', 'mode', 'gone', 'kept']) await put(store, path, '1');
      const settlements = ['moved', 'mode', 'gone', 'kept', 'came'].map((path) =>
        imported(store, path, 'files'),
      );
      await put(store, 'moved', '2');
      const mode = { path: at('mode'), kind: 'file', mode: 0o600, bytes: Buffer.from('1') } as const;
      await putIf(store, mode, sha256('1'));
      await store.edit(() => ({ edits: [{ op: 'remove', path: at('gone'), expected: sha256('1') }] }));
      await put(store, 'came', '2');

      const left = await store.settle(settlements);

      expect([...left].sort()).toEqual(['came', 'gone', 'mode', 'moved']);
      expect(store.find(at('kept'))).toMatchObject({ mode: 0o600, mtimeNs: 5n, sha256: sha256('files') });
      expect(store.find(at('moved'))!.sha256).toBe(sha256('2'));
      expect(store.find(at('gone'))).toBeUndefined();
    }),
  );

  test(
    'remove what a directory holds before the directory, and leave one that still holds something',
    onStore(async (store) => {
      for (const path of ['d', 'd/e', 'x']) await makeDirectory(store, path);
      for (const path of ['d/f', 'd/e/g', 'x/f']) await put(store, path, '1');
      const remove = (path: string) => keep(store, path, { change: { op: 'remove' } });

      const left = await store.settle(['d', 'x', 'd/e', 'd/f', 'd/e/g'].map(remove));

      expect(left).toEqual(['x']);
      expect([...store.scan()].map(({ path }) => path)).toEqual(['x', 'x/f']);
    }),
  );

  test(
    'put a file where a directory was, a directory where a file was, and nothing where no directory is',
    onStore(async (store) => {
      await makeDirectory(store, 'd');
      await put(store, 'd/f', '1');
      await put(store, 'f', '1');
      const stat = { path: at('f'), kind: 'directory', mode: 0o755, mtimeNs: 1n, size: 0 } as const;
      const nothing = { bytes: Buffer.alloc(0), sha256: sha256('') };

      const left = await store.settle([
        keep(store, 'f', { change: { op: 'import', stat, content: nothing } }),
        imported(store, 'f/new', 'x'),
        imported(store, 'none/new', 'x'),
        imported(store, 'd', 'x'),
        keep(store, 'd/f', { change: { op: 'remove' } }),
      ]);

      expect(left).toEqual(['none/new']);
      expect([...store.scan()].map(({ path, kind }) => `${path} ${kind}`)).toEqual([
        'd file',
        'f directory',
        'f/new file',
      ]);
    }),
  );

  test(
    'take over a time alone, and what is derived from it',
    onStore(async (store) => {
      const id = 'SBI-01M810CC01J2AAPQZVYRK1YMJR' as SbiId;
      for (const path of ['specs', 'specs/sbi', `specs/sbi/${id}`]) await makeDirectory(store, path);
      await put(store, `specs/sbi/${id}/implement_1.md`, 'x');
      const file = at(`specs/sbi/${id}/implement_1.md`);
      const before = store.find(file)!;
      const change = { op: 'date', mtimeNs: 1_000_000_000n } as const;

      const moved = keep(store, file, { change, expected: { ...before, sha256: sha256('y') } });
      expect(await store.settle([keep(store, file, { change }), moved])).toEqual([file]);

      expect(store.find(file)).toEqual({ ...before, mtimeNs: 1_000_000_000n });
      expect(Buffer.concat([...store.read(file)]).toString()).toBe('x');
      const updatedAt = await store.look(
        (tree) => new Overlay(tree, { checks, now: since }).derive(id)?.sbi?.updatedAt,
      );
      expect(updatedAt).toBe('1970-01-01T00:00:01.000000000Z');
    }),
  );

  test(
    'keep what the files held, exactly',
    onStore(async (store) => {
      const odd = projection('a', 'x', {
        ino: 18_446_744_073_709_551_615n,
        mtimeNs: -(2n ** 63n),
        ctimeNs: 2n ** 63n - 1n,
        seenAtMs: -1,
      });
      await store.settle([keep(store, 'a', { projection: odd })]);
      expect(store.projected(at('a'))).toEqual(odd);

      await store.settle([keep(store, 'a')]);
      expect(store.projected(at('a'))).toBeUndefined();
    }),
  );

  test(
    'are none when a content is not as long as it was said to be',
    onStore(async (store) => {
      const stat = { path: at('a'), kind: 'file', mode: 0o644, mtimeNs: 1n, size: 3 } as const;
      const content = { bytes: Buffer.from('four'), sha256: sha256('four') };
      const bad = keep(store, 'a', { change: { op: 'import', stat, content } });

      await expect(store.settle([imported(store, 'b', 'x'), bad])).rejects.toMatchObject({
        code: 'FILE.UNSTABLE',
      });
      expect([...store.scan()]).toEqual([]);
    }),
  );
});

describe('The account', () => {
  test(
    'has each path once, in scan order, with entry and projection, while the database is written',
    onStore(async (store) => {
      await makeDirectory(store, 'd');
      for (const path of ['d/f', 'd.x', 'a']) await put(store, path, '1');
      await store.settle(
        ['d/f', 'gone', 'd/gone'].map((path) => keep(store, path, { projection: projection(path, '1') })),
      );

      const seen: string[] = [];
      for (const { path, entry, projection: held } of store.account()) {
        seen.push(`${path} ${entry?.kind ?? '-'} ${held?.size ?? '-'}`);
        await put(store, `new-${seen.length}`, 'x');
      }

      expect(seen).toEqual([
        'a file -',
        'd directory -',
        'd/f file 1',
        'd/gone - 1',
        'd.x file -',
        'gone - 1',
      ]);
      const below = (path: string): TreePath[] => [...store.account(at(path))].map((row) => row.path);
      expect(below('d')).toEqual(['d', 'd/f', 'd/gone']);
      expect(below('none')).toEqual([]);
    }),
  );
});

describe('The chain of changes', () => {
  const note = (action: string): AuditNote => ({
    timestamp: since,
    entityType: 'sbi',
    entityId: 'x',
    action,
  });
  const full = { ...note('b'), oldValue: '1', newValue: '"é"', user: 'u', sessionId: 's', requestId: 'r' };
  const hashes = { oldHash: sha256('a'), newHash: sha256('b') };

  test('is written with the change, kept, and listed', async () => {
    const { storage, close } = await freshStorage({ now });
    const { store, index } = storage;
    const { audit } = await store.edit(() => ({ edits: [], audit: [note('a'), { ...full, ...hashes }] }));

    expect(audit[0]).toMatchObject({ seq: 1, previous: CHAIN_START });
    expect(audit[1]).toEqual(chainAudit({ ...full, ...hashes }, audit[0]));
    expect([...store.auditSince(0)]).toEqual(audit);
    expect([...store.auditSince(1)]).toEqual(audit.slice(1));
    expect(await index.listAudit({ offset: 1 })).toEqual(audit.slice(1));
    expect(await index.listAudit({ since: '2026-01-02T03:04:06.000000000Z' })).toEqual([]);
    await expect(index.listAudit({ offset: -1 })).rejects.toMatchObject({ code: 'USAGE.INVALID' });
    await close();
  });

  test.each([
    ['changed', `UPDATE audit_log SET action = 'x' WHERE seq = 2`, ['audit_log seq 2']],
    ['removed', 'DELETE FROM audit_log WHERE seq = 2', ['audit_log seq 3']],
    ['unchained', 'UPDATE audit_log SET seq = NULL WHERE seq = 3', ['audit_log']],
  ])('is checked: a record that was %s is named', async (_, sql, where) => {
    const { storage, path, close } = await freshStorage({ now });
    await storage.store.edit(() => ({ edits: [], audit: ['a', 'b', 'c'].map(note) }));
    const handle = openHandle(path, 'write');
    expect(await checkIndex(handle)).toEqual([]);
    handle.exec(sql);

    expect((await checkIndex(handle)).map((difference) => difference.where)).toEqual(where);
    handle.close();
    await close();
  });

  test(
    'takes records that were made elsewhere once, in order, and as they are',
    onStore(async (store) => {
      const records = [note('a'), note('b'), note('c')].reduce<ReturnType<typeof chainAudit>[]>(
        (chain, next) => [...chain, chainAudit(next, chain.at(-1))],
        [],
      );
      const [one, two, three] = records as [(typeof records)[0], (typeof records)[0], (typeof records)[0]];
      await store.settle([], [one, two]);
      await store.settle([], [two, three]);
      expect([...store.auditSince(0)]).toEqual(records);

      const broken = { code: 'AUDIT.BROKEN' };
      const other = chainAudit(note('other'), two);
      await expect(store.settle([], [other])).rejects.toMatchObject(broken);
      await expect(store.settle([], [{ ...chainAudit(note('d'), three), seq: 5 }])).rejects.toMatchObject(
        broken,
      );
      await expect(
        store.settle([], [{ ...chainAudit(note('d'), three), action: 'e' }]),
      ).rejects.toMatchObject(broken);
      const late = [imported(store, 'a', 'x')];
      await expect(store.settle(late, [other])).rejects.toMatchObject(broken);
      expect(store.find(at('a'))).toBeUndefined();
    }),
  );
});
