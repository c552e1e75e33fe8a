import { pathFromText, putIf, type TreeEdit } from '@deespec/domain';
import { isChained } from '@deespec/layout';
import { describe, expect, test } from '@jest/globals';
import fs from 'node:fs';
import { join } from 'node:path';

import { openFileStorage } from '../src/index.js';
import {
  append,
  codeOf,
  contentsOf,
  discard,
  makeDirectory,
  note,
  ownNames,
  pathsOf,
  plant,
  put,
  removal,
  sha256,
  systemError,
  systemWith,
  temporary,
  withTree,
} from './support.js';

const files = { 'd/f': 'old', 'd/gone': 'gone', 'old/deep/f': 'x', 'log.ndjson': '{"a":1}\n' };
const all: readonly TreeEdit[] = [
  makeDirectory('new'),
  put('new/f', 'one'),
  put('d/f', 'new', 'old'),
  append('log.ndjson', '{"b":2}'),
  removal('d/gone', 'gone'),
  discard('old'),
];

describe('edit', () => {
  test('makes every edit of a plan, lines last, and keeps what it removed', () =>
    withTree(async ({ store, home }) => {
      plant(home, files);

      const { paths, audit } = await store.edit(() => ({ edits: all, audit: [note('a'), note('b')] }));

      expect(paths).toEqual(
        ['new', 'new/f', 'd/f', 'log.ndjson', 'd/gone', 'old', 'old/deep', 'old/deep/f'].map(pathFromText),
      );
      expect(contentsOf(store)).toEqual({
        d: 'directory 755 ',
        'd/f': 'file 640 new',
        'log.ndjson': 'file 644 {"a":1}\n{"b":2}\n',
        new: 'directory 750 ',
        'new/f': 'file 640 one',
      });
      const trash = fs.readdirSync(join(home, '.storage/trash'), { recursive: true }).map(String);
      expect(trash.some((name) => name.endsWith('/gone'))).toBe(true);
      expect(trash.some((name) => name.endsWith('/old/deep/f'))).toBe(true);
      expect([...store.auditSince(0)]).toEqual(audit);
      expect([...store.auditSince(1)]).toEqual(audit.slice(1));
      expect(isChained(audit[0]!, undefined) && isChained(audit[1]!, audit[0])).toBe(true);
      expect(ownNames(home, 'dirty')).toEqual([]);
    }));

  test.each<[string, TreeEdit, string]>([
    ['another content', put('d/f', 'y', 'seen'), 'FILE.CHANGED'],
    ['no parent', put('none/f', 'y'), 'FILE.NOT_FOUND'],
    ['a path that an edit before it discarded', put('old/f', 'y'), 'FILE.NOT_FOUND'],
    [
      'a directory that is not empty',
      { op: 'remove', path: pathFromText('d'), expected: '' },
      'FILE.CHANGED',
    ],
    ['the place of a journal that gets a line', discard('d'), 'FILE.CHANGED'],
    ['what scans ignore', put('.storage/x', 'y'), 'TREE.PATH_UNSAFE'],
  ])('changes nothing when the last edit meets %s', (_, last, code) =>
    withTree(async ({ store, home }) => {
      plant(home, { ...files, 'd/log.jsonl': '' });
      const before = contentsOf(store);
      const edits = [put('z', 'x'), append('d/log.jsonl', 'line'), discard('old'), last];

      expect(await codeOf(() => store.edit(() => ({ edits, audit: [note('a')] })))).toBe(code);

      expect(contentsOf(store)).toEqual(before);
      expect([...store.auditSince(0)]).toEqual([]);
      expect(fs.existsSync(join(home, '.storage'))).toBe(false);
    }),
  );

  test('takes back what it made when another program changes a path meanwhile', () => {
    let home = '';
    const renameSync: typeof fs.renameSync = (from, to) => {
      fs.renameSync(from, to);
      if (String(to) === join(home, 'd/f')) fs.writeFileSync(join(home, 'z'), 'theirs');
    };
    return withTree(async (tree) => {
      home = tree.home;
      plant(home, { ...files, z: 'old' });
      const before = contentsOf(tree.store);
      const edits = [...all, put('z', 'ours', 'old')];

      expect(await codeOf(() => tree.store.edit(() => ({ edits, audit: [note('a')] })))).toBe('FILE.CHANGED');

      expect(contentsOf(tree.store)).toEqual({ ...before, z: 'file 644 theirs' });
      expect([...tree.store.auditSince(0)]).toEqual([]);
      expect(ownNames(home, 'dirty')).toEqual([]);
      expect(tree.store.settleReplaced(0)).toEqual([]);
      expect(ownNames(home, 'conflicts/replaced')).toEqual([]);
    }, systemWith({ renameSync }));
  });

  test('does not replace what another program put where nothing stood', () => {
    let home = '';
    const linkSync: typeof fs.linkSync = (from, to) => {
      fs.writeFileSync(join(home, 'f'), 'theirs');
      fs.linkSync(from, to);
    };
    return withTree(async (tree) => {
      home = tree.home;

      expect(await codeOf(() => tree.store.edit(() => ({ edits: [put('f', 'ours')] })))).toBe('FILE.CHANGED');

      expect(contentsOf(tree.store)).toEqual({ f: 'file 644 theirs' });
      expect(tree.ignored).toEqual([]);
    }, systemWith({ linkSync }));
  });

  test('works where there are no hard links', () => {
    const linkSync = (): never => {
      throw systemError('EPERM');
    };
    return withTree(async ({ store, home }) => {
      plant(home, files);
      const before = contentsOf(store);

      await store.edit(() => ({ edits: [put('new', 'x'), put('d/f', 'new', 'old')] }));
      expect(contentsOf(store)).toEqual({ ...before, new: 'file 640 x', 'd/f': 'file 640 new' });
      expect(store.settleReplaced(0)).toEqual([]);
    }, systemWith({ linkSync }));
  });

  test('runs plan and edits alone', async () => {
    const { directory: home, remove } = temporary();
    const calls: string[] = [];
    const alone = async <T>(work: () => T): Promise<T> => {
      calls.push('taken');
      try {
        return work();
      } finally {
        calls.push('given back');
      }
    };
    const { store } = openFileStorage({ home, alone });

    await store.edit(() => {
      calls.push('planned');
      return { edits: [put('f', 'x')] };
    });
    await store.recover();

    expect(calls).toEqual(['taken', 'planned', 'given back', 'taken', 'given back']);
    remove();
  });
});

describe('a content in chunks', () => {
  const chunk = Buffer.alloc(1_048_576, 'x');
  const chunks = (sha: string, count = 30) => ({
    size: count * chunk.length,
    sha256: sha,
    open: function* (): Generator<Buffer> {
      for (let at = 0; at < count; at += 1) yield chunk;
    },
  });
  const version = (bytes: ReturnType<typeof chunks>) =>
    ({ path: pathFromText('f'), kind: 'file', mode: 0o644, bytes }) as const;

  test('is written as it comes', () =>
    withTree(async ({ store }) => {
      const hash = sha256('x'.repeat(30 * 1_048_576));

      const entry = await putIf(store, version(chunks(hash)), undefined);

      expect(entry).toMatchObject({ size: 30 * 1_048_576, sha256: hash });
    }));

  test('that is not what was announced changes nothing', () =>
    withTree(async ({ store, home }) => {
      plant(home, { f: 'old' });

      const code = await codeOf(() => putIf(store, version(chunks(sha256('other'), 2)), sha256('old')));

      expect(code).toBe('TRANSFER.MISMATCH');
      expect(fs.readFileSync(join(home, 'f'), 'utf8')).toBe('old');
      expect(fs.readdirSync(home)).toEqual(['.storage', 'f']);
      expect(ownNames(home, 'dirty')).toEqual([]);
    }));

  test('is the one edit of its plan', () =>
    withTree(async ({ store }) => {
      const edit: TreeEdit = { op: 'put', version: version(chunks('')), expected: undefined };

      await expect(store.edit(() => ({ edits: [edit, put('g', 'x')] }))).rejects.toThrow('only edit');
      expect(pathsOf(store.scan())).toEqual([]);
    }));

  test('cannot be put again after a crash, so nothing of it stays', async () => {
    const { directory: home, remove } = temporary();
    const renameSync = (): never => {
      throw systemError('EIO');
    };
    plant(home, { f: 'old' });
    const dying = openFileStorage({ home, owes: true, system: systemWith({ renameSync }) }).store;
    const code = await codeOf(() =>
      putIf(dying, version(chunks(sha256('x'.repeat(1_048_576)), 1)), sha256('old')),
    );
    expect(code).toBe('FILE.OUTCOME_UNKNOWN');
    expect(ownNames(home, 'dirty')).toHaveLength(1);

    const { store } = openFileStorage({ home, owes: true });
    await store.recover();

    expect(contentsOf(store)).toEqual({ f: 'file 644 old' });
    expect(store.fileDebts()).toEqual([]);
    expect(ownNames(home, 'dirty')).toEqual([]);
    remove();
  });
});

describe('debts', () => {
  test('stay until they are cleared, oldest first', async () => {
    const { directory: home, remove } = temporary();
    const now = (): Date => new Date('2026-01-02T03:04:05.678Z');
    const { store } = openFileStorage({ home, owes: true, now });

    const first = await store.edit(() => ({
      edits: [makeDirectory('d'), put('d/f', 'x')],
      audit: [note('a')],
    }));
    const second = await putIf(
      store,
      { path: pathFromText('g'), kind: 'file', mode: 0o644, bytes: Buffer.from('x') },
      undefined,
    ).then(() => store.edit(() => ({ edits: [discard('d')] })));

    const opened = openFileStorage({ home, owes: true }).store;
    const debts = opened.fileDebts().map((id) => opened.fileDebt(id)!);
    expect(debts.map(({ paths }) => paths)).toEqual([['d', 'd/f'], ['g'], ['d', 'd/f']]);
    expect(debts[0]).toEqual({
      id: first.debt,
      paths: ['d', 'd/f'],
      audit: first.audit,
      since: '2026-01-02T03:04:05.678000000Z',
    });
    expect(debts[2]?.id).toBe(second.debt);

    opened.clearFileDebt(debts[1]!.id);
    opened.clearFileDebt(debts[1]!.id);
    opened.clearFileDebt('../../first');
    expect(store.fileDebts()).toEqual([first.debt, second.debt]);
    expect(store.fileDebt(debts[1]!.id)).toBeUndefined();
    remove();
  });

  test('are none without an edit, and without a database that follows', () =>
    withTree(async ({ store }) => {
      const { debt } = await store.edit(() => ({ edits: [put('f', 'x'), put('g', 'x')] }));

      expect(debt).toBeUndefined();
      expect(store.fileDebts()).toEqual([]);
      expect(await store.edit(() => ({ edits: [] }))).toEqual({ paths: [], audit: [] });
    }));

  test('that are damaged are owed all the same, without saying what', () =>
    withTree(async ({ store, home }) => {
      plant(home, { '.storage/dirty/0mwv0nkp8-9376101f0e3c054c.debt': '{"format":1}\n' });

      expect(store.fileDebts().map((id) => store.fileDebt(id))).toMatchObject([
        { paths: 'unknown', audit: [] },
      ]);
    }));
});

test('a name is made durable where it stood', () => {
  const synced: string[] = [];
  const openSync = ((...args: Parameters<typeof fs.openSync>) => {
    synced.push(String(args[0]));
    return fs.openSync(...args);
  }) as typeof fs.openSync;
  return withTree(({ store, home }) => {
    plant(home, { 'd/f': 'x' });
    synced.length = 0;

    for (const path of ['d/f', 'd/none', 'gone/deep/f', 'f']) store.syncName(pathFromText(path));

    expect(synced).toEqual([join(home, 'd'), join(home, 'd'), home, home]);
  }, systemWith({ openSync }));
});
