/* eslint-disable max-lines-per-function -- a registration function is a list of tests */
import {
  isStorageError,
  pathFromText,
  type EditResult,
  type TreeEdit,
  type TreePath,
  type TreeStore,
} from '@deespec/domain';
import { expect, test } from '@jest/globals';

import { contentOf, expectCode, makeDirectories, putText, sha256, snapshotOf } from './expectations.js';
import type { OnStore } from './open-storage.js';
import { directory, mib, pattern, symlink, version } from './versions.js';

const hashOf = (text: string): string => sha256(Buffer.from(text));

/** Makes edits that need no look at the tree. */
export function make(store: TreeStore, ...edits: readonly TreeEdit[]): Promise<EditResult> {
  return store.edit(() => ({ edits }));
}

/** A file to be put where `expected` stands. */
export function put(text: string, content: string, expected?: string): TreeEdit {
  const bytes = Buffer.from(content);
  return { op: 'put', version: version(pathFromText(text), { bytes }), expected };
}

/** A line to be appended. */
export function append(text: string, line: string): TreeEdit {
  return { op: 'append', path: pathFromText(text), line: Buffer.from(line) };
}

const makeDirectory = (text: string): TreeEdit => {
  return { op: 'put', version: directory(pathFromText(text)), expected: undefined };
};
const remove = (text: string, expected: string): TreeEdit => {
  return { op: 'remove', path: pathFromText(text), expected };
};
const discard = (text: string): TreeEdit => ({ op: 'discard', path: pathFromText(text) });

/** Several edits of one plan. */
export function editing(onStore: OnStore): void {
  test(
    'makes the edits of a plan one after the other',
    onStore(async (store) => {
      await putText(store, 'old', 'old');

      const { paths } = await make(
        store,
        makeDirectory('d'),
        put('d/f', 'one'),
        put('d/f', 'two', hashOf('one')),
        append('d/log.jsonl', 'a line\n'),
        { op: 'put', version: symlink(pathFromText('d/gone'), 'f'), expected: undefined },
        remove('d/gone', hashOf('f')),
        remove('old', hashOf('old')),
      );

      expect([...store.scan()].map(({ path }) => path)).toEqual(['d', 'd/f', 'd/log.jsonl']);
      expect(contentOf(store, pathFromText('d/f')).toString()).toBe('two');
      expect(contentOf(store, pathFromText('d/log.jsonl')).toString()).toBe('a line\n');
      expect(paths).toEqual(expect.arrayContaining(['d', 'd/f', 'd/log.jsonl', 'old']));
    }),
  );

  test(
    'says which paths changed, in the order of the edits',
    onStore(async (store) => {
      await makeDirectories(store, 'd');

      const { paths } = await make(store, put('z', 'x'), put('d/b', 'x'), put('a', 'x'));

      expect(paths).toEqual(['z', 'd/b', 'a']);
    }),
  );

  test(
    'changes nothing for a plan without edits',
    onStore(async (store) => {
      await putText(store, 'd/f', 'x');
      const before = snapshotOf(store);

      expect(await make(store)).toMatchObject({ paths: [], audit: [] });

      expect(snapshotOf(store)).toEqual(before);
    }),
  );

  test(
    'takes a content in chunks',
    onStore(async (store) => {
      const bytes = pattern(2 * mib + 7);
      const open = function* (): Generator<Buffer> {
        for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000);
      };
      const chunks = { size: bytes.length, sha256: sha256(bytes), open };
      const path = await putText(store, 'f', 'small');

      await make(store, {
        op: 'put',
        version: { ...version(path), bytes: chunks },
        expected: hashOf('small'),
      });

      expect(store.find(path)).toMatchObject({ size: bytes.length, sha256: sha256(bytes) });
      expect(contentOf(store, path).equals(bytes)).toBe(true);
    }),
  );
}

/** Plans of which one edit cannot be made. */
export function editConflicts(onStore: OnStore): void {
  const first: readonly TreeEdit[] = [
    put('f', 'new', hashOf('old')),
    put('added', 'x'),
    makeDirectory('d/added'),
    append('log.ndjson', 'ours\n'),
    remove('gone', hashOf('gone')),
    discard('discarded'),
  ];

  test.each<[string, TreeEdit]>([
    ['puts over another content', put('d/f', 'y', hashOf('what the caller saw'))],
    ['puts where something stands', put('d/f', 'y')],
    ['puts where an edit before it put', put('added', 'y')],
    ['puts over a directory', put('e', 'y', '')],
    ['puts without a parent', put('none/f', 'y')],
    ['puts below what an edit before it discarded', put('discarded/f', 'y', hashOf('x'))],
    ['removes another content', remove('d/f', hashOf('what the caller saw'))],
    ['removes nothing', remove('none', hashOf('x'))],
    ['removes what an edit before it removed', remove('gone', hashOf('gone'))],
    ['removes a directory with entries', remove('d', '')],
    ['appends to a directory', append('e', 'x\n')],
    ['appends to a symlink', append('l', 'x\n')],
    ['appends without a parent', append('none/log.ndjson', 'x\n')],
    ['discards nothing', discard('none')],
    ['discards a file', discard('d/f')],
  ])('none when the last one %s', (_, last) =>
    onStore(async (store) => {
      await putText(store, 'f', 'old');
      await putText(store, 'gone', 'gone');
      await putText(store, 'log.ndjson', 'theirs\n');
      await putText(store, 'd/f', 'x');
      await putText(store, 'discarded/f', 'x');
      await makeDirectories(store, 'e');
      await make(store, {
        op: 'put',
        version: symlink(pathFromText('l'), 'log.ndjson'),
        expected: undefined,
      });
      const before = entriesOf(store);

      const refused = await make(store, ...first, last).catch((error: unknown) => error);

      expect(isStorageError(refused) ? refused.code : refused).toMatch(/^FILE\.(?:CHANGED|NOT_FOUND)$/u);
      expect(entriesOf(store)).toEqual(before);
      await make(store, ...first);
      expect(contentOf(store, pathFromText('log.ndjson')).toString()).toBe('theirs\nours\n');
    })(),
  );

  const unsafe = ['../x', 'a/../../x', '/x', 'a//b', './x', 'x/', ''] as TreePath[];
  test.each(unsafe)('none when one names the path "%s"', (path) =>
    onStore(async (store) => {
      await makeDirectories(store, 'a');
      const before = entriesOf(store);
      const bad: readonly TreeEdit[] = [
        { op: 'put', version: version(path), expected: undefined },
        { op: 'append', path, line: Buffer.from('x\n') },
        { op: 'remove', path, expected: '' },
        { op: 'discard', path },
      ];

      for (const edit of bad) await expectCode(() => make(store, put('f', 'x'), edit), 'TREE.PATH_UNSAFE');

      expect(entriesOf(store)).toEqual(before);
    })(),
  );
}

/** What a store holds; without the times of directories, which undoing an edit may change. */
function entriesOf(store: TreeStore): unknown[] {
  return snapshotOf(store).map((entry) => {
    const { mtimeNs, ...rest } = entry as { kind: string; mtimeNs: bigint };
    return rest.kind === 'directory' ? rest : { ...rest, mtimeNs };
  });
}

/** Lines at the end of journals. */
export function appending(onStore: OnStore): void {
  const text = (store: TreeStore, path: string): string => contentOf(store, pathFromText(path)).toString();

  test(
    'makes a journal that is not there',
    onStore(async (store) => {
      await make(store, append('log.ndjson', '{"a":1}\n'));

      expect(store.find(pathFromText('log.ndjson'))).toMatchObject({ kind: 'file', mode: 0o644, size: 8 });
      expect(text(store, 'log.ndjson')).toBe('{"a":1}\n');
    }),
  );

  test.each([
    ['', ''],
    ['one\n', 'one\n'],
    ['one\ntorn', 'one\ntorn\n'],
    ['torn', 'torn\n'],
    ['\n\n', '\n\n'],
    ['one\r', 'one\r\n'],
  ])('goes on behind %j as %j', (before, kept) =>
    onStore(async (store) => {
      await putText(store, 'log.ndjson', before);

      await make(store, append('log.ndjson', 'ours\n'));

      expect(text(store, 'log.ndjson')).toBe(`${kept}ours\n`);
    })(),
  );

  test(
    'keeps the order of the lines of a plan, and of plans',
    onStore(async (store) => {
      const lines = Array.from({ length: 30 }, (_, at) => `line ${at}\n`);
      await putText(store, 'log.ndjson', 'torn');
      for (let at = 0; at < 30; at += 3) {
        const [a, b, c] = lines.slice(at, at + 3) as [string, string, string];
        await make(store, append('log.ndjson', a + b), append('log.ndjson', c));
      }

      expect(text(store, 'log.ndjson')).toBe(`torn\n${lines.join('')}`);
    }),
  );

  test(
    'keeps the mode of the journal and agrees with find',
    onStore(async (store) => {
      const path = pathFromText('log.ndjson');
      const old = version(path, { mode: 0o600, bytes: Buffer.from('old\n') });
      await make(store, { op: 'put', version: old, expected: undefined });

      await make(store, append('log.ndjson', 'ours\n'));

      expect(store.find(path)).toMatchObject({ mode: 0o600, size: 9, sha256: hashOf('old\nours\n') });
    }),
  );

  test(
    'appends to a journal of more than 1 MiB',
    onStore(async (store) => {
      const old = Buffer.alloc(2 * mib + 5, 'z');
      const path = pathFromText('log.ndjson');
      await make(store, { op: 'put', version: version(path, { bytes: old }), expected: undefined });

      await make(store, append('log.ndjson', 'ours\n'));
      await make(store, append('log.ndjson', 'again\n'));

      const expected = Buffer.concat([old, Buffer.from('\nours\nagain\n')]);
      expect(contentOf(store, path).equals(expected)).toBe(true);
      expect(store.find(path)?.sha256).toBe(sha256(expected));
    }),
  );
}

/** Directories that go with all they hold. */
export function discarding(onStore: OnStore): void {
  const fill = async (store: TreeStore): Promise<void> => {
    await putText(store, 'd/a/b/f', 'x');
    await putText(store, 'd/large', 'z'.repeat(mib + 1));
    await makeDirectories(store, 'd/empty');
    await make(store, { op: 'put', version: symlink(pathFromText('d/l'), '../kept'), expected: undefined });
    for (const kept of ['d.x/f', 'd 2/f', 'd0', 'kept/f']) await putText(store, kept, 'kept');
  };

  test(
    'removes everything below, and nothing beside',
    onStore(async (store) => {
      await fill(store);
      const all = [...store.scan()].map(({ path }) => path);
      const gone = ['d', 'd/a', 'd/a/b', 'd/a/b/f', 'd/empty', 'd/l', 'd/large'];

      const { paths } = await make(store, discard('d'));

      expect([...store.scan()].map(({ path }) => path)).toEqual(all.filter((path) => !gone.includes(path)));
      expect([...paths].sort()).toEqual(gone);
      for (const path of gone as TreePath[]) expect(store.find(path)).toBeUndefined();
      await expectCode(() => [...store.read(pathFromText('d/a/b/f'))], 'FILE.NOT_FOUND');
    }),
  );

  test(
    'lets the directory be made again, in the same plan and later, without what was in it',
    onStore(async (store) => {
      await fill(store);

      await make(store, discard('d'), makeDirectory('d'), put('d/new', 'x'));
      expect([...store.scan()].map(({ path }) => path).slice(0, 2)).toEqual(['d', 'd/new']);
      await make(store, discard('d'));
      await make(store, makeDirectory('d'));

      expect([...store.scan()].map(({ path }) => path)[0]).toBe('d');
      expect(store.find(pathFromText('d/new'))).toBeUndefined();
    }),
  );
}
