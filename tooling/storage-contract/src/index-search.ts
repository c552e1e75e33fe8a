/* eslint-disable max-lines-per-function -- a registration function is a list of tests */
import { pathFromText, putIf, type Index, type SbiFilter, type SbiId, type TreeStore } from '@deespec/domain';
import { expect, test } from '@jest/globals';

import { expectCode, makeDirectories, putText, someTimeNs } from './expectations.js';
import type { OnStorage } from './open-storage.js';
import { ids, one, putMeta, putState, two } from './sample-sbis.js';
import { make } from './tree-edits.js';

const found = async (index: Index, search: string, filter: SbiFilter = {}): Promise<SbiId[]> =>
  (await index.listSbis({ search, ...filter })).map(({ id }) => id);

const at = (id: SbiId, name: string): string => `specs/sbi/${id}/${name}`;

async function putBytes(store: TreeStore, text: string, bytes: Buffer): Promise<void> {
  await makeDirectories(store, text.slice(0, text.lastIndexOf('/')));
  const path = pathFromText(text);
  const version = { path, kind: 'file', mode: 0o644, mtimeNs: someTimeNs, bytes } as const;
  await putIf(store, version, store.find(path)?.sha256);
}

/** Which SBIs a search finds. */
export function searches(on: OnStorage): void {
  test(
    'finds words of the title, of spec.md, of executions and of earlier runs, wherever each of them stands',
    on(async ({ store, index }) => {
      await putState(store, one, { title: 'Heron' });
      await putText(store, at(one, 'spec.md'), '# Ibis\n');
      await putText(store, at(one, 'implement_1.md'), 'a stork');
      await putText(store, at(one, 'review_2.md'), 'a crane');
      await putText(store, at(one, 'histories/run_1/review_2.md'), 'an egret');
      await putText(store, at(one, 'notes.md'), 'a bittern');
      await putState(store, two, { title: 'Heron and crane' });

      for (const word of ['ibis', 'stork', 'egret']) expect(await found(index, word)).toEqual([one]);
      expect((await found(index, 'crane heron')).sort()).toEqual([one, two].sort());
      expect(await found(index, 'heron ibis stork crane egret')).toEqual([one]);
      expect(await found(index, 'heron ibis flamingo')).toEqual([]);
      expect(await found(index, 'bittern')).toEqual([]);
    }),
  );

  test.each([
    [
      'a whole word',
      'the cat sat',
      [
        ['cat', 'CAT', 'sat the', 'cat cat'],
        ['ca', 'at', 'cats', 'cat dog'],
      ],
    ],
    [
      'case and diacritics',
      'Größe déjà e\u0301cran ÅNGSTRÖM Ελλάς',
      [
        ['GROßE', 'größe', 'DEJA', 'écran', 'e\u0301cra\u0301n', 'Angstrom', 'ΕΛΛΆΣ'],
        ['grosse', 'grö', 'e', 'dèj'],
      ],
    ],
    [
      'letters of any script',
      'データ 設計 журнал 🚀 x²',
      [
        ['データ', 'ЖУРНАЛ', '設計', 'x²'],
        ['設', 'デー', 'x'],
      ],
    ],
    [
      'what stands between words',
      'a_b c-d e.f/g 1,5',
      [
        ['a b', 'c d', 'e/f.g', '5 1'],
        ['ab', 'cd', '15'],
      ],
    ],
    [
      'numbers',
      'v2 42 ٤٢',
      [
        ['v2', '42', '٤٢'],
        ['4', 'v', '2'],
      ],
    ],
  ])('knows %s', (_, text, [hits, misses]) =>
    on(async ({ store, index }) => {
      await putState(store, one, {});
      await putText(store, at(one, 'spec.md'), text);

      for (const search of hits!) expect([search, await found(index, search)]).toEqual([search, [one]]);
      for (const search of misses!) expect([search, await found(index, search)]).toEqual([search, []]);
    })(),
  );

  test(
    'has the words and the label that it asks for, wherever that stands among others',
    on(async ({ store, index }) => {
      const labels = ['a', 'a,b', 'b,c,d', 'ab', '', ',', 'a b', 'A', 'lone \ud800', undefined];
      const all = ids(labels.length);
      for (const [at, label] of labels.entries()) {
        await putState(store, all[at]!, { title: at % 2 === 0 ? 'heron crane' : 'heron', label });
      }
      const labelled = async (search: string, label: string): Promise<unknown[]> =>
        (await found(index, search, { label })).map((id) => labels[all.indexOf(id)]);
      expect(await labelled('heron', 'a')).toEqual(['a', 'a,b']);
      expect(await labelled('heron', 'b')).toEqual(['a,b', 'b,c,d']);
      expect(await labelled('heron', 'b,c')).toEqual(['b,c,d']);
      expect(await labelled('heron', 'c,b')).toEqual([]);
      expect(await labelled('heron', 'b,d')).toEqual([]);
      expect(await labelled('heron', 'a b')).toEqual(['a b']);
      expect(await labelled('heron', 'A')).toEqual(['A']);
      expect(await labelled('crane', 'a')).toEqual(['a']);
      expect(await labelled('crane', 'b')).toEqual(['b,c,d']);
      expect(await labelled('ibis', 'a')).toEqual([]);
      const many = Array.from({ length: 3_000 }, (_, at) => `l${at}`);
      await putState(store, one, { title: 'heron', label: many.join(',') });
      expect(await found(index, 'heron', { label: many.slice(1).join(',') })).toEqual([one]);
      expect(await found(index, 'heron', { label: many.toReversed().join(',') })).toEqual([]);
      for (const label of ['', ',', 'z', '"', 'lone \ufffd']) {
        const plain = (await index.listSbis({ label })).map(({ id }) => id);
        expect([label, await found(index, 'heron', { label })]).toEqual([label, plain]);
      }
    }),
  );

  test.each([
    'heron AND crane',
    'heron OR ibis',
    'heron NOT crane',
    'NEAR(heron crane, 5)',
    '"heron crane"',
    'text:heron',
    'text : crane',
    'heron*',
    'ibi*',
    '^heron',
    '-crane',
    '{text} : heron',
    "heron'; DROP TABLE sbi; --",
    'heron" OR "ibis',
    '(heron',
    'heron + crane',
    'heron\0crane',
    'heron\u{d800}crane',
    '*',
    '"',
  ])('takes %j as words and nothing else', (search) =>
    on(async ({ store, index }) => {
      const plain = search.split(/[^a-z0-9]+/iu).filter((word) => word !== '');
      const [a, b] = ids(2) as [SbiId, SbiId];
      await putState(store, a, { title: 'crane heron' });
      await putState(store, b, { title: plain.toReversed().join(' ') });

      if (plain.length === 0) return expectCode(() => found(index, search), 'USAGE.INVALID');
      const isInBoth = plain.every((word) => ['crane', 'heron'].includes(word.toLowerCase()));
      return expect(await found(index, search)).toEqual(isInBoth ? [a, b] : [b]);
    })(),
  );

  test(
    'refuses a text without a word, and one of more than 1,000 characters',
    on(async ({ store, index }) => {
      await putState(store, one, { title: 'a' });

      for (const search of [
        '',
        ' ',
        '-- "*"',
        '\0',
        '\u{d800}',
        '\u0301',
        'x'.repeat(1_001),
        'x '.repeat(500_000),
      ]) {
        await expectCode(() => found(index, search), 'USAGE.INVALID');
      }
      expect(await found(index, 'a '.repeat(500))).toEqual([one]);
      const many = Array.from({ length: 250 }, (_, i) => i.toString(36)).join(' ');
      expect(await found(index, many)).toEqual([]);
    }),
  );

  test(
    'does not search what is no text, more than 1 MiB of one file, or more than 4 MiB of one SBI',
    on(async ({ store, index }) => {
      const [a, b, c, d] = ids(4) as [SbiId, SbiId, SbiId, SbiId];
      for (const id of [a, b, c, d]) await putState(store, id, {});
      await putBytes(store, at(a, 'spec.md'), Buffer.from('heron \xff', 'latin1'));
      await putBytes(store, at(a, 'implement_1.md'), Buffer.from('heron \xed\xa0\x80', 'latin1'));
      await putBytes(store, at(b, 'implement_1.md'), Buffer.from('heron\0'));
      await putBytes(
        store,
        at(b, 'spec.md'),
        Buffer.concat([Buffer.alloc(1_048_576, ' '), Buffer.from('heron')]),
      );
      await putBytes(
        store,
        at(c, 'spec.md'),
        Buffer.concat([Buffer.alloc(1_048_571, ' '), Buffer.from('heron')]),
      );
      for (const turn of [1, 2, 3, 4]) {
        const text = `crane${turn}`.padEnd(turn < 4 ? 1_048_576 : 1_048_000);
        await putText(store, at(d, `implement_${turn}.md`), text);
      }
      await putText(store, at(d, 'spec.md'), 'heron');
      await putText(store, at(d, 'review_5.md'), 'ibis');

      expect(await found(index, 'heron')).toEqual([c, d]);
      expect(await found(index, 'crane1 crane2 crane3')).toEqual([d]);
      expect(await found(index, 'crane4 ibis')).toEqual([d]);
      await putText(store, at(d, 'spec.md'), `heron ${'x '.repeat(2_000)}`);
      expect(await found(index, 'crane4')).toEqual([]);
      expect(await found(index, 'ibis crane3')).toEqual([d]);
    }),
  );
}

/** In which files words are looked for. */
export function searchedParts(on: OnStorage): void {
  test(
    'names the files of an SBI that are searched, spec.md first, and its title; an SBI that is not there is absent',
    on(async ({ store, index }) => {
      const [a, b, c] = ids(3) as [SbiId, SbiId, SbiId];
      await putState(store, a, { title: 'Heron' });
      for (const name of [
        'review_2.md',
        'implement_1.md',
        'a.md',
        'histories/run_1/review_2.md',
        'spec.md',
      ]) {
        await putText(store, at(a, name), name);
      }
      await putBytes(store, at(a, 'implement_3.md'), Buffer.alloc(1_048_577, ' '));
      await putState(store, b, {});

      const parts = await index.listSearched([b, c, a]);

      expect([...parts.keys()].sort()).toEqual([a, b].sort());
      expect(parts.get(a)!.files).toEqual(
        ['spec.md', 'histories/run_1/review_2.md', 'implement_1.md', 'review_2.md'].map((name) =>
          at(a, name),
        ),
      );
      expect(parts.get(a)!.sbi.metadata['title']).toBe('Heron');
      expect(parts.get(b)!.files).toEqual([]);
    }),
  );
}

/** What a search finds after changes. */
export function searchChanges(on: OnStorage): void {
  test(
    'follows changes of titles and texts, and finds nothing by what stood there before',
    on(async ({ store, index }) => {
      await putState(store, one, { title: 'heron' });
      await putText(store, at(one, 'spec.md'), 'ibis');
      await putText(store, at(one, 'implement_1.md'), 'stork');
      expect(await found(index, 'heron ibis stork')).toEqual([one]);

      await putState(store, one, { title: 'crane' });
      await putText(store, at(one, 'spec.md'), 'egret');
      await putText(store, at(one, 'implement_1.md'), 'bittern');

      expect(await found(index, 'crane egret bittern')).toEqual([one]);
      for (const old of ['heron', 'ibis', 'stork']) expect([old, await found(index, old)]).toEqual([old, []]);
    }),
  );

  test(
    'follows removals of files, of an SBI and of all',
    on(async ({ store, index }) => {
      await putState(store, one, { title: 'x' });
      const paths = [];
      paths.push(await putText(store, at(one, 'spec.md'), 'ibis'));
      paths.push(await putText(store, at(one, 'implement_1.md'), 'stork'));
      await putState(store, two, { title: 'heron' });
      for (const path of paths) {
        await make(store, { op: 'remove', path, expected: store.find(path)!.sha256 });
      }

      expect(await found(index, 'ibis')).toEqual([]);
      expect(await found(index, 'stork')).toEqual([]);
      expect(await found(index, 'x')).toEqual([one]);
      await make(store, { op: 'discard', path: pathFromText(`specs/sbi/${one}`) });
      expect(await found(index, 'x')).toEqual([]);
      await putState(store, one, { title: 'again' });
      expect(await found(index, 'again')).toEqual([one]);
      expect(await found(index, 'x')).toEqual([]);
      await make(store, { op: 'discard', path: pathFromText('specs') });
      expect(await found(index, 'heron')).toEqual([]);
    }),
  );

  test(
    'follows what becomes and ceases to be a text, a file and an SBI',
    on(async ({ store, index }) => {
      await putState(store, one, {});
      await putText(store, at(one, 'spec.md'), 'heron');
      await putBytes(store, at(one, 'spec.md'), Buffer.from('heron\xff', 'latin1'));
      expect(await found(index, 'heron')).toEqual([]);
      await putText(store, at(one, 'spec.md'), 'heron');
      await putText(store, at(one, 'state.json'), '{"status": "WI');
      expect(await found(index, 'heron')).toEqual([]);
      await putState(store, one, { title: 'ibis' });
      expect(await found(index, 'ibis heron')).toEqual([one]);

      const path = pathFromText(at(one, 'spec.md'));
      const link = { path, kind: 'symlink', mode: 0o777, bytes: Buffer.from('heron') } as const;
      await make(store, { op: 'remove', path, expected: store.find(path)!.sha256 });
      await putIf(store, link, undefined);

      expect(await found(index, 'heron')).toEqual([]);
      expect(await found(index, 'ibis')).toEqual([one]);
    }),
  );

  test(
    'finds an SBI by the directory that is taken for it',
    on(async ({ store, index }) => {
      await putState(store, one, { title: 'first' });
      await putText(store, `specs/sbi/${one}_slug/meta.yml`, 'title: second\n');
      await putText(store, `specs/sbi/${one}_slug/spec.md`, 'heron');
      expect(await found(index, 'heron')).toEqual([]);

      await make(store, { op: 'discard', path: pathFromText(`specs/sbi/${one}`) });

      expect(await found(index, 'first')).toEqual([]);
      expect(await found(index, 'second heron')).toEqual([one]);
    }),
  );

  test(
    'gives pages in the order of the list, together with the other filters',
    on(async ({ store, index }) => {
      const all = ids(8);
      for (const [i, id] of all.entries()) {
        const values = { title: i % 2 === 0 ? 'even item' : 'odd item', label: i < 4 ? 'low' : 'high' };
        const created_at = `2026-01-0${8 - i}T00:00:00Z`;
        await putState(store, id, { ...values, created_at, priority: i, status: i < 2 ? 'DONE' : 'READY' });
      }
      await putMeta(store, one, 'title: other\ncreated_at: 2026-01-01T00:00:00Z\n');
      const even = all.filter((_, i) => i % 2 === 0).toReversed();

      expect(await found(index, 'even')).toEqual(even);
      expect(await found(index, 'even', { limit: 2 })).toEqual(even.slice(0, 2));
      expect(await found(index, 'even', { limit: 2, after: even[1]! })).toEqual(even.slice(2));
      expect(await found(index, 'even', { after: all[7]!, limit: 1 })).toEqual(even.slice(0, 1));
      expect(await found(index, 'item', { label: 'low', status: 'READY' })).toEqual([all[3], all[2]]);
      expect(await found(index, 'even', { order: 'next', limit: 3 })).toEqual([all[2], all[4], all[6]]);
      expect(await found(index, 'item', { order: 'next', after: all[6]! })).toEqual([all[7], all[0]]);
      await expectCode(() => found(index, 'even', { after: two }), 'SBI.NOT_FOUND');
      await expectCode(() => found(index, 'even', { limit: 0 }), 'USAGE.INVALID');
    }),
  );
}
