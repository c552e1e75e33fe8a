/* eslint-disable max-lines-per-function -- a registration function is a list of tests */
import { pathFromText, putIf, removeIf, type ErrorCode, type TreeVersion } from '@deespec/domain';
import { expect, test } from '@jest/globals';

import { contentOf, expectCode, makeDirectories, putText, sha256, snapshotOf } from './expectations.js';
import type { OnStore } from './open-storage.js';
import { directory, mib, pattern, symlink, version } from './versions.js';

/** Modes, times, symlinks. */
export function metadata(onStore: OnStore): void {
  test.each([0o644, 0o600, 0o777, 0o755, 0o444, 0o400, 0o2755, 0o1777])(
    'keeps mode %o of a file and a directory',
    (mode) =>
      onStore(async (store) => {
        await putIf(store, directory(pathFromText('d'), mode), undefined);
        await putIf(store, version(pathFromText('f'), { mode }), undefined);

        expect([...store.scan()].map((stat) => stat.mode)).toEqual([mode, mode]);
      })(),
  );

  test.each([
    1_767_323_045_123_456_789n,
    1_700_000_000_999_999_999n,
    1_000_000_000_000_001_000n,
    1_000n,
    0n,
    -1_000n,
    -62_135_596_800n * 1_000n,
    4_000_000_000_000_001_000n,
  ])('keeps the time %d ns to the microsecond', (mtimeNs) =>
    onStore(async (store) => {
      const entries = [
        version(pathFromText('f'), { mtimeNs }),
        { ...symlink(pathFromText('l'), 'f'), mtimeNs },
        { ...directory(pathFromText('d')), mtimeNs },
      ];
      for (const entry of entries) await putIf(store, entry, undefined);

      const micro = (ns: bigint): bigint => (ns - (((ns % 1000n) + 1000n) % 1000n)) / 1000n;
      expect([...store.scan()].map((stat) => micro(stat.mtimeNs))).toEqual(Array(3).fill(micro(mtimeNs)));
    })(),
  );

  test(
    'takes the present time when a version has none',
    onStore(async (store) => {
      const before = BigInt(Date.now() - 60_000) * 1_000_000n;

      const put = await putIf(
        store,
        { path: pathFromText('f'), kind: 'file', mode: 0o644, bytes: Buffer.from('x') },
        undefined,
      );

      expect(put.mtimeNs).toBeGreaterThan(before);
    }),
  );

  test.each(['nowhere', '/etc/passwd', '../../..', 'a\nb', Buffer.from([0xff, 0x2f, 0xfe])])(
    'keeps a symlink to %j without following it',
    (target) =>
      onStore(async (store) => {
        const path = pathFromText('l');

        await putIf(store, symlink(path, target), undefined);

        const bytes = Buffer.from(target as string);
        expect(store.find(path)).toMatchObject({
          kind: 'symlink',
          size: bytes.length,
          sha256: sha256(bytes),
        });
        expect(contentOf(store, path).equals(bytes)).toBe(true);
      })(),
  );

  test(
    'has nothing below a symlink to a directory',
    onStore(async (store) => {
      await putText(store, 'd/f', 'x');
      await putIf(store, symlink(pathFromText('l'), 'd'), undefined);

      expect(store.find(pathFromText('l/f'))).toBeUndefined();
      await expectCode(() => [...store.read(pathFromText('l/f'))], 'FILE.NOT_FOUND');
      await expectCode(() => putIf(store, version(pathFromText('l/g')), undefined), 'FILE.NOT_FOUND');
    }),
  );
}

/** Writes over what stands there. */
export function puttingOver(onStore: OnStore): void {
  test(
    'replaces content, mode and time, and keeps every other entry',
    onStore(async (store) => {
      const path = await putText(store, 'd/f', 'old');
      await putText(store, 'd/other', 'other');
      const others = snapshotOf(store).filter((entry) => (entry as { path: string }).path === 'd/other');

      await putIf(
        store,
        version(path, { bytes: Buffer.from('new'), mode: 0o600, mtimeNs: 5_000n }),
        sha256(Buffer.from('old')),
      );

      expect(store.find(path)).toMatchObject({ mode: 0o600, mtimeNs: 5_000n, size: 3 });
      expect(contentOf(store, path).toString()).toBe('new');
      expect(snapshotOf(store)).toEqual(expect.arrayContaining(others));
    }),
  );

  test(
    'changes the mode of a directory and keeps what is in it',
    onStore(async (store) => {
      await putText(store, 'd/f', 'x');

      await putIf(store, directory(pathFromText('d'), 0o700), '');

      expect(store.find(pathFromText('d'))).toMatchObject({ kind: 'directory', mode: 0o700 });
      expect(contentOf(store, pathFromText('d/f')).toString()).toBe('x');
    }),
  );

  test(
    'replaces a file by a symlink and back',
    onStore(async (store) => {
      const path = await putText(store, 'f', 'x');

      await putIf(store, symlink(path, 'x'), sha256(Buffer.from('x')));
      expect(store.find(path)).toMatchObject({ kind: 'symlink' });
      await putIf(store, version(path), sha256(Buffer.from('x')));

      expect(store.find(path)).toMatchObject({ kind: 'file', size: 1 });
    }),
  );

  test(
    'replaces small content by large and back',
    onStore(async (store) => {
      for (const bytes of [pattern(10), pattern(3 * mib), pattern(mib + 1), pattern(0)]) {
        const path = pathFromText('f');
        await putIf(store, version(path, { bytes }), store.find(path)?.sha256);
        expect(contentOf(store, path).equals(bytes)).toBe(true);
      }
    }),
  );

  test(
    'lets one of two writers win that expect the same content',
    onStore(async (store) => {
      const path = await putText(store, 'f', 'base');
      const base = sha256(Buffer.from('base'));
      const writers = ['one', 'two'].map((text) =>
        putIf(store, version(path, { bytes: Buffer.from(text) }), base),
      );

      const outcomes = await Promise.allSettled(writers);

      expect(outcomes.map((outcome) => outcome.status).sort()).toEqual(['fulfilled', 'rejected']);
      const winner = outcomes[0]!.status === 'fulfilled' ? 'one' : 'two';
      expect(contentOf(store, path).toString()).toBe(winner);
    }),
  );
}

/** Writes that are refused. */
export function putConflicts(onStore: OnStore): void {
  const someHash = sha256(Buffer.from('what the caller saw'));

  test.each<[string, ErrorCode, { put: TreeVersion; expected: string | undefined }]>([
    [
      'a file that must be absent and stands',
      'FILE.CHANGED',
      { put: version(pathFromText('f')), expected: undefined },
    ],
    ['a file with other content', 'FILE.CHANGED', { put: version(pathFromText('f')), expected: someHash }],
    ['a file that is gone', 'FILE.CHANGED', { put: version(pathFromText('gone')), expected: someHash }],
    [
      'a directory that must be absent and stands',
      'FILE.CHANGED',
      { put: directory(pathFromText('d')), expected: undefined },
    ],
    ['a directory that is gone', 'FILE.CHANGED', { put: directory(pathFromText('gone')), expected: '' }],
    ['a file over a directory', 'FILE.CHANGED', { put: version(pathFromText('d')), expected: '' }],
    ['a file over an empty directory', 'FILE.CHANGED', { put: version(pathFromText('e')), expected: '' }],
    ['a symlink over a directory', 'FILE.CHANGED', { put: symlink(pathFromText('e'), 'x'), expected: '' }],
    [
      'a directory over a file',
      'FILE.CHANGED',
      { put: directory(pathFromText('f')), expected: sha256(Buffer.from('old')) },
    ],
    [
      'an entry without a parent',
      'FILE.NOT_FOUND',
      { put: version(pathFromText('no/f')), expected: undefined },
    ],
    [
      'a directory without a parent',
      'FILE.NOT_FOUND',
      { put: directory(pathFromText('no/d')), expected: undefined },
    ],
    ['an entry below a file', 'FILE.NOT_FOUND', { put: version(pathFromText('f/x')), expected: undefined }],
  ])('%s with %s, changing nothing', (_, code, { put, expected }) =>
    onStore(async (store) => {
      await putText(store, 'f', 'old');
      await putText(store, 'd/f', 'x');
      await makeDirectories(store, 'e');
      const before = snapshotOf(store);

      await expectCode(() => putIf(store, put, expected), code);

      expect(snapshotOf(store)).toEqual(before);
    })(),
  );
}

/** Removals. */
export function removing(onStore: OnStore): void {
  test(
    'removes a file, a symlink and an empty directory, and nothing else',
    onStore(async (store) => {
      const file = await putText(store, 'd/f', 'x');
      const kept = await putText(store, 'd/kept', 'x');
      await putIf(store, symlink(pathFromText('d/l'), 'kept'), undefined);
      await makeDirectories(store, 'd/e');

      await removeIf(store, file, sha256(Buffer.from('x')));
      await removeIf(store, pathFromText('d/l'), sha256(Buffer.from('kept')));
      await removeIf(store, pathFromText('d/e'), '');

      expect([...store.scan()].map((stat) => stat.path)).toEqual(['d', kept]);
    }),
  );

  test(
    'lets an entry be put again where one was removed',
    onStore(async (store) => {
      const path = await putText(store, 'f', 'x');
      await removeIf(store, path, sha256(Buffer.from('x')));

      await putIf(store, directory(path), undefined);

      expect(store.find(path)).toMatchObject({ kind: 'directory' });
    }),
  );

  test.each([
    ['other content', 'FILE.CHANGED', { text: 'f', expected: sha256(Buffer.from('what the caller saw')) }],
    ['a file expected to be a directory', 'FILE.CHANGED', { text: 'f', expected: '' }],
    ['a directory with entries', 'FILE.CHANGED', { text: 'd', expected: '' }],
    ['what is not there', 'FILE.NOT_FOUND', { text: 'gone', expected: '' }],
    ['what is not there any more', 'FILE.NOT_FOUND', { text: 'gone', expected: sha256(Buffer.from('x')) }],
  ] as const)('refuses %s with %s, changing nothing', (_, code, { text, expected }) =>
    onStore(async (store) => {
      await putText(store, 'f', 'old');
      await putText(store, 'd/f', 'x');
      const before = snapshotOf(store);

      await expectCode(() => removeIf(store, pathFromText(text), expected), code);

      expect(snapshotOf(store)).toEqual(before);
    })(),
  );

  test(
    'closes twice',
    onStore(async (store) => {
      await store.close();
      await expect(store.close()).resolves.toBeUndefined();
    }),
  );
}
