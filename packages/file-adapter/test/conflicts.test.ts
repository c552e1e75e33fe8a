import { pathFromText, pathFromBytes, type Conflict } from '@deespec/domain';
import { describe, expect, test } from '@jest/globals';
import fs from 'node:fs';
import { join } from 'node:path';

import { openFileStorage } from '../src/index.js';
import { codeOf, ownNames, pathsOf, plant, put, sha256, systemWith, withTree } from './support.js';

const conflict: Omit<Conflict, 'id'> = {
  path: pathFromBytes(Buffer.from([0x64, 0x2f, 0xff, 0x0a])),
  store: 'sqlite',
  at: '2026-01-02T03:04:05.000000000Z',
  kind: 'file',
  mode: 0o600,
  mtimeNs: 1_700_000_000_123_456_789n,
  size: 5,
  sha256: sha256('lost!'),
  keptSha256: sha256('kept'),
  reason: 'both moved',
};
const bytes = [Buffer.from('lo'), Buffer.from('st!')];

describe('conflicts', () => {
  test('keep the bytes and what is known, oldest first', () =>
    withTree(({ store }) => {
      const { keptSha256: _, ...less } = conflict;
      const ids = [
        store.keepConflict(conflict, bytes),
        store.keepConflict(less, []),
        store.keepConflict(conflict, bytes),
      ];

      expect(store.listConflicts()).toEqual([
        { ...conflict, id: ids[0] },
        { ...less, id: ids[1] },
        { ...conflict, id: ids[2] },
      ]);
      expect(Buffer.concat([...store.readConflict(ids[0]!)]).toString()).toBe('lost!');
      expect(pathsOf(store.scan())).toEqual([]);
    }));

  test('go to the trash when they are dropped', () =>
    withTree(async ({ store, home }) => {
      const id = store.keepConflict(conflict, bytes);

      store.dropConflict(id);

      expect(store.listConflicts()).toEqual([]);
      expect(await codeOf(() => store.readConflict(id))).toBe('CONFLICT.NOT_FOUND');
      expect(await codeOf(() => store.dropConflict(id))).toBe('CONFLICT.NOT_FOUND');
      const [kept] = ownNames(home, 'trash');
      expect(fs.readFileSync(join(home, '.storage/trash', kept!, 'content'), 'utf8')).toBe('lost!');
    }));

  test.each(['..', '../dirty', '', 'replaced', '0mwv0nkp8-9376101f0e3c054c'])('has none called "%s"', (id) =>
    withTree(async ({ store }) => {
      store.keepConflict(conflict, bytes);

      expect(await codeOf(() => store.readConflict(id))).toBe('CONFLICT.NOT_FOUND');
      expect(await codeOf(() => store.dropConflict(id))).toBe('CONFLICT.NOT_FOUND');
    }),
  );

  test('pass over what is none', () =>
    withTree(({ store, home }) => {
      const id = store.keepConflict(conflict, bytes);
      const about = JSON.parse(
        fs.readFileSync(join(home, '.storage/conflicts', id, 'about.json'), 'utf8'),
      ) as object;
      const damaged = ['', 'x', '[]', '{}', 'null', JSON.stringify({ ...about, path: '../x' })]
        .concat(JSON.stringify({ ...about, mode: 65536 }))
        .concat(JSON.stringify({ ...about, at: 'yesterday' }));
      damaged.forEach((text, at) =>
        plant(home, { [`.storage/conflicts/0mwv0nkp8-000000000000000${at}/about.json`]: text }),
      );
      plant(home, { '.storage/conflicts/0mwv0nkp8-9999999999999999/content': 'left by a crash' });

      expect(store.listConflicts().map((one) => one.id)).toEqual([id]);
    }));

  test('keeps what is removed from the database, with its path', () =>
    withTree(({ store, home }) => {
      store.keepRemoved(pathFromText('d/é'), bytes);

      const [id] = ownNames(home, 'trash');
      const place = join(home, '.storage/trash', id!);
      expect(fs.readFileSync(join(place, 'content'), 'utf8')).toBe('lost!');
      expect(fs.readFileSync(join(place, 'path'), 'utf8')).toBe('d/é\n');
    }));
});

describe('a file that is replaced', () => {
  test.each<['before' | 'after']>([['before'], ['after']])(
    'keeps what another program writes into it directly %s the rename',
    async (when) => {
      let home = '';
      const writer: { handle?: number } = {};
      const renameSync: typeof fs.renameSync = (from, to) => {
        const isOurs = String(to) === join(home, 'd/f') && String(from).includes('.tmp-deespec-');
        if (isOurs) writer.handle = fs.openSync(String(to), 'r+');
        if (isOurs && when === 'before') fs.writeSync(writer.handle!, 'theirs');
        fs.renameSync(from, to);
        if (isOurs && when === 'after') fs.writeSync(writer.handle!, 'theirs');
      };
      await withTree(async (tree) => {
        home = tree.home;
        plant(home, { 'd/f': 'old' });

        await tree.store.edit(() => ({ edits: [put('d/f', 'ours', 'old')] }));

        expect(fs.readFileSync(join(home, 'd/f'), 'utf8')).toBe('ours');
        expect(tree.store.settleReplaced()).toEqual([]); // not before everybody is done with it
        const found = tree.store.settleReplaced(0);
        expect(found).toMatchObject([
          { path: 'd/f', store: 'files', size: 6, sha256: sha256('theirs'), keptSha256: sha256('ours') },
        ]);
        expect(tree.store.listConflicts()).toEqual(found);
        expect(Buffer.concat([...tree.store.readConflict(found[0]!.id)]).toString()).toBe('theirs');
        expect(tree.store.settleReplaced(0)).toEqual([]);
        expect(ownNames(home, 'conflicts/replaced')).toEqual([]);
      }, systemWith({ renameSync }));
      fs.closeSync(writer.handle!);
    },
  );

  test('is forgotten when nobody wrote into it', () =>
    withTree(async ({ store, home }) => {
      plant(home, { 'd/f': 'old' });
      fs.symlinkSync('x', join(home, 'l'));
      await store.edit(() => ({ edits: [put('d/f', 'ours', 'old')] }));
      await store.edit(() => ({ edits: [put('l', 'ours', 'x')] }));
      expect(ownNames(home, 'conflicts/replaced')).toHaveLength(4);

      expect(store.settleReplaced(0)).toEqual([]);

      expect(ownNames(home, 'conflicts/replaced')).toEqual([]);
    }));

  test('stays where it is when nobody knows what it was', () =>
    withTree(async ({ store, home }) => {
      const key = '0mwv0nkp8-9376101f0e3c054c-0';
      plant(home, {
        [`.storage/conflicts/replaced/${key}.json`]: '{"path":"../x"}',
        [`.storage/conflicts/replaced/${key}.old`]: 'bytes',
      });

      expect(store.settleReplaced(0)).toEqual([]);

      expect(ownNames(home, 'conflicts/replaced')).toHaveLength(2);
    }));
});

describe('what was put for another store', () => {
  test('is known, by another process too, until nothing is owed any more', () =>
    withTree(async ({ store, home }) => {
      const path = pathFromText('f');
      await store.edit(() => ({ edits: [put('f', 'a')] }));
      const sinceMs = Date.now();
      await store.edit(() => ({ edits: [{ ...put('f', 'b', 'a'), isProjection: true }] }));
      const other = openFileStorage({ home }).store;

      const known = [sha256('b'), sha256('a')].map((hash) => other.hasProjected(path, hash, sinceMs));

      expect(known).toEqual([true, false]);
      expect(other.hasProjected(path, sha256('b'), Date.now() + 60_000)).toBe(false);
      expect(other.settleReplaced(0)).toEqual([]);
      expect(other.hasProjected(path, sha256('b'), sinceMs)).toBe(true);
      expect(ownNames(home, 'conflicts/replaced').map((name) => name.replace(/^.*\./u, ''))).toEqual([
        'projection',
      ]);
      expect(other.settleReplaced(0, 0)).toEqual([]);
      expect(other.hasProjected(path, sha256('b'), sinceMs)).toBe(false);
    }));

  test('is not what an edit of the tree itself put', () =>
    withTree(async ({ store }) => {
      const path = pathFromText('f');
      await store.edit(() => ({ edits: [put('f', 'a')] }));
      await store.edit(() => ({ edits: [put('f', 'b', 'a')] }));

      expect(store.hasProjected(path, sha256('b'), 0)).toBe(false);
    }));
});

describe('a temporary file that lost its note', () => {
  test('goes to the trash once a scan came by; others stay', () =>
    withTree(async ({ store, home }) => {
      const ours = '.tmp-deespec-0mwv8facn-c15d4c36814e6006-0';
      plant(home, { [`d/${ours}`]: 'new', 'd/.tmp-deespec-notes-1': 'x', 'd/.tmp-123': 'y' });

      await store.discardLeft();
      expect(fs.existsSync(join(home, 'd', ours))).toBe(true);
      expect(pathsOf(store.scan())).toEqual(['d']);
      await store.discardLeft();

      expect(fs.readdirSync(join(home, 'd')).sort()).toEqual(['.tmp-123', '.tmp-deespec-notes-1']);
      const trash = join(home, '.storage/trash');
      const kept = fs.readdirSync(trash).flatMap((name) => fs.readdirSync(join(trash, name)));
      expect(kept).toEqual([ours]);
    }));
});
