import {
  pathFromBytes,
  pathFromText,
  putIf,
  type EntryKind,
  type TreePath,
  type TreeStore,
} from '@deespec/domain';
import { describe, expect, test } from '@jest/globals';

import { contentOf, expectCode, makeDirectories, putText, sha256, snapshotOf } from './expectations.js';
import { withStorage, type OnStore, type OpenStorage } from './open-storage.js';
import { appending, discarding, editConflicts, editing } from './tree-edits.js';
import { auditing, overlapping, planJournal, planning, planSbis, type JournalPut } from './tree-plans.js';
import { metadata, putConflicts, puttingOver, removing } from './tree-writes.js';
import { directory, joined, mib, pattern, symlink, version } from './versions.js';

/**
 * Registers the contract of `TreeStore` for one store; every store passes all of it.
 *
 * @param open - called once per test, for a fresh and empty storage
 */
export function treeStoreContract(
  name: string,
  open: OpenStorage,
  journalPut: JournalPut = 'replaced',
): void {
  const onStore = (work: (store: TreeStore) => Promise<void>) => () =>
    withStorage(open, ({ store }) => work(store));
  describe(`TreeStore: ${name}`, () => {
    describe('scan', () => scanning(onStore));
    describe('content', () => contents(onStore));
    describe('names', () => names(onStore));
    describe('metadata', () => metadata(onStore));
    describe('putIf', () => puttingOver(onStore));
    describe('putIf refuses', () => putConflicts(onStore));
    describe('removeIf', () => removing(onStore));
    describe('edit', () => editing(onStore));
    describe('edit makes', () => editConflicts(onStore));
    describe('append', () => appending(onStore));
    describe('discard', () => discarding(onStore));
    describe('a plan', () => planning(onStore));
    describe("a plan's journal", () => planJournal(onStore, journalPut));
    describe("a plan's SBIs", () => planSbis(onStore));
    describe('overlapping edits', () => overlapping(onStore));
    describe('the audit of edits', () => auditing(onStore));
  });
}

function scanning(onStore: OnStore): void {
  test(
    'is empty when the store is',
    onStore(async (store) => {
      expect([...store.scan()]).toEqual([]);
    }),
  );

  test(
    'lists a directory, then its content, then names that sort behind it by bytes',
    onStore(async (store) => {
      const raw = (bytes: number[]): TreePath => pathFromBytes(Buffer.from(bytes));
      const order: [TreePath, EntryKind][] = [
        [pathFromText('A'), 'file'],
        [pathFromText('a'), 'directory'],
        [pathFromText('a/x'), 'directory'],
        [pathFromText('a/x/z'), 'file'],
        [pathFromText('a/y'), 'file'],
        [pathFromText('a b'), 'file'],
        [pathFromText('a.b'), 'directory'],
        [pathFromText('a.b/c'), 'file'],
        [pathFromText('a0'), 'file'],
        [pathFromText('é'), 'file'],
        [pathFromText('\u{ff5e}'), 'file'],
        [pathFromText('😀'), 'file'],
        [raw([0xff]), 'directory'],
        [joined(raw([0xff]), 'q'), 'file'],
        [raw([0xff, 0x20]), 'file'],
      ];
      const parentsFirst = [...order].sort(([a], [b]) => a.split('/').length - b.split('/').length);
      for (const [path, kind] of parentsFirst.reverse().sort((a, b) => depth(a) - depth(b))) {
        await putIf(store, kind === 'directory' ? directory(path) : version(path), undefined);
      }

      expect([...store.scan()].map(({ path, kind }) => [path, kind])).toEqual(order);
    }),
  );

  test(
    'agrees with find and read on every entry',
    onStore(async (store) => {
      await makeDirectories(store, 'd/empty');
      await putText(store, 'd/f', 'content');
      await putIf(store, symlink(pathFromText('d/l'), '../elsewhere'), undefined);

      for (const stat of store.scan()) {
        const bytes = contentOf(store, stat.path);
        expect(bytes).toHaveLength(stat.size);
        expect(store.find(stat.path)).toMatchObject({
          path: stat.path,
          kind: stat.kind,
          mode: stat.mode,
          mtimeNs: stat.mtimeNs,
          size: stat.size,
          sha256: stat.kind === 'directory' ? '' : sha256(bytes),
        });
      }
    }),
  );
}

function depth([path]: readonly [TreePath, EntryKind]): number {
  return path.split('/').length;
}

function contents(onStore: OnStore): void {
  const awkward: [string, Buffer][] = [
    ['no bytes', Buffer.alloc(0)],
    ['one newline', Buffer.from('\n')],
    ['NULs', Buffer.from('a\0b\0\0')],
    ['invalid UTF-8', Buffer.from([0x61, 0xff, 0xfe, 0x62, 0xc0, 0xaf, 0xed, 0xa0, 0x80])],
    ['a truncated UTF-8 sequence', Buffer.from([0xf0, 0x9f, 0x98])],
    ['CRLF, lone CR, U+2028 and no final newline', Buffer.from('a\r\nb\rc\u2028d\u0085e')],
    ['a BOM', Buffer.from('\ufeff# title\n')],
    ['a BOM twice and UTF-16', Buffer.from('\ufeff\ufeffx', 'utf16le')],
    ['every byte', Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))],
    ['5 MB of text', Buffer.from('# ä line of Markdown\n'.repeat(250_000))],
    ['1 MiB less a byte', pattern(mib - 1)],
    ['1 MiB', pattern(mib)],
    ['1 MiB and a byte', pattern(mib + 1)],
    ['2 MiB', pattern(2 * mib)],
  ];

  test.each(awkward)('keeps %s', (_, bytes) =>
    onStore(async (store) => {
      await makeDirectories(store, 'specs/sbi/SBI-01M810CC01J2AAPQZVYRK1YMJR');
      for (const text of ['f', 'specs/sbi/SBI-01M810CC01J2AAPQZVYRK1YMJR/implement_2.md']) {
        const path = pathFromText(text);

        const put = await putIf(store, version(path, { bytes }), undefined);

        expect(put).toMatchObject({ size: bytes.length, sha256: sha256(bytes) });
        expect(store.find(path)).toEqual(expect.objectContaining(put));
        expect(contentOf(store, path).equals(bytes)).toBe(true);
        expect([...store.read(path)].every((chunk) => chunk.length <= mib)).toBe(true);
      }
    })(),
  );

  test(
    'finds nothing and fails to read where nothing stands',
    onStore(async (store) => {
      await putText(store, 'f', 'x');
      for (const text of ['missing', 'missing/below', 'f/below']) {
        expect(store.find(pathFromText(text))).toBeUndefined();
        await expectCode(() => [...store.read(pathFromText(text))], 'FILE.NOT_FOUND');
      }
    }),
  );
}

function names(onStore: OnStore): void {
  test.each([
    ['a newline', Buffer.from('a\nb')],
    ['a backslash', Buffer.from('a\\nb')],
    ['byte 0xFF', Buffer.from([0xff])],
    ['bytes that are no UTF-8', Buffer.from([0x61, 0xc3, 0x28, 0x80])],
    ['255 bytes', Buffer.alloc(255, 'n')],
    ['255 bytes of UTF-8', Buffer.from('あ'.repeat(85))],
    ['a leading dash, spaces and quotes', Buffer.from(`- "' *`)],
    ['three dots', Buffer.from('...')],
    ['composed and decomposed letters', Buffer.from('e\u0301\u00e9')],
  ])('keeps a name with %s', (_, bytes) =>
    onStore(async (store) => {
      const parent = pathFromBytes(bytes);
      const path = joined(parent, parent);

      await putIf(store, directory(parent), undefined);
      await putIf(store, version(path), undefined);
      await putIf(store, version(path, { bytes: Buffer.from('y') }), sha256(Buffer.from('x')));

      expect([...store.scan()].map((stat) => stat.path)).toEqual([parent, path]);
      expect(contentOf(store, path).toString()).toBe('y');
    })(),
  );

  test.each(['../x', 'a/../../x', '/x', 'a//b', './x', 'x/', ''])('refuses to write at "%s"', (text) =>
    onStore(async (store) => {
      await makeDirectories(store, 'a');
      const before = snapshotOf(store);

      await expectCode(() => putIf(store, version(text as TreePath), undefined), 'TREE.PATH_UNSAFE');

      expect(snapshotOf(store)).toEqual(before);
    })(),
  );
}
