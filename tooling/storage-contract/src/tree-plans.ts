/* eslint-disable max-lines-per-function -- a registration function is a list of tests */
import {
  MOST_EVENTS,
  pathFromText,
  type AuditNote,
  type JournalEvent,
  type SbiId,
  type TreePath,
  type TreeStore,
  type TreeView,
} from '@deespec/domain';
import { chainAudit, isChained, MemorySpool, readContext } from '@deespec/layout';
import { expect, test } from '@jest/globals';
import { checks } from '@deespec/validators';

import { contentOf, expectCode, makeDirectories, putText, sha256, snapshotOf } from './expectations.js';
import type { OnStore } from './open-storage.js';
import { ids, one, pickLine, putJournal, putMeta, putState, stepLine, two } from './sample-sbis.js';
import { append, make, put } from './tree-edits.js';

/** What `look` sees, which a plan sees likewise. */
async function seen<T>(store: TreeStore, look: (tree: TreeView) => T): Promise<T> {
  const answers: T[] = [];
  await store.edit((tree) => {
    answers.push(look(tree));
    return { edits: [] };
  });
  const looked = await store.look(look);
  expect(looked).toEqual(answers.at(-1));
  return looked;
}

const journal = 'var/journal.ndjson';
const text = (line: object): string => `${JSON.stringify(line)}\n`;

/** What a plan sees. */
export function planning(onStore: OnStore): void {
  test(
    'sees the tree as it is',
    onStore(async (store) => {
      const path = await putText(store, 'd/f', 'x');
      await putText(store, 'd/g', 'y');

      const tree = await seen(store, (view) => ({
        all: snapshotOf(view),
        found: view.find(path),
        missing: view.find(pathFromText('none')),
        content: contentOf(view, path).toString(),
      }));

      expect(tree.all).toEqual(snapshotOf(store));
      expect(tree).toMatchObject({ found: store.find(path), missing: undefined, content: 'x' });
    }),
  );

  test(
    'that throws changes nothing, and its error is the one that comes out',
    onStore(async (store) => {
      await putText(store, 'f', 'x');
      const before = snapshotOf(store);
      const error = new Error('no plan');
      const plan = (): never => {
        throw error;
      };

      await expect(store.edit(plan)).rejects.toBe(error);

      expect(snapshotOf(store)).toEqual(before);
      await make(store, put('g', 'y'));
      expect(snapshotOf(store)).toHaveLength(2);
    }),
  );
}

/**
 * What a put over the journal does. `merged`: the lines that stand there come back, since another store has them too and no
 * line of a journal is lost; such a store is not held to the journal's replacement.
 */
export type JournalPut = 'replaced' | 'merged';

/** The journal as a plan sees it. */
export function planJournal(onStore: OnStore, journalPut: JournalPut): void {
  const events = (store: TreeStore, id = one): Promise<readonly JournalEvent[]> =>
    seen(store, (tree) => tree.journal.eventsOf(id));
  /** What the bytes say when they are read from the beginning. */
  const readAgain = (store: TreeStore, id = one): readonly JournalEvent[] => {
    const spool = new MemorySpool();
    readContext(store, { checks, spool });
    return spool.eventsOf(id);
  };
  const step = (turn: number): object => {
    return stepLine(one, `implement_${turn}.md`, {
      step: 'implement',
      turn,
      ts: `2026-01-02T00:01:0${turn}Z`,
    });
  };

  test(
    'has no events without a journal',
    onStore(async (store) => {
      expect(await events(store)).toEqual([]);
    }),
  );

  test(
    'has the events of each SBI, with their runs, as lines are appended',
    onStore(async (store) => {
      await putJournal(store, [pickLine(one, '2026-01-02T00:00:01Z'), step(2)]);
      expect(await events(store)).toEqual(readAgain(store));

      await make(
        store,
        append(journal, text(pickLine(two, '2026-01-02T00:02:00Z')) + text(step(3))),
        append(journal, text(pickLine(one, '2026-01-02T00:03:00Z'))),
      );
      await make(store, append(journal, text(step(2))));

      expect(await events(store)).toEqual(readAgain(store));
      expect(await events(store, two)).toEqual(readAgain(store, two));
      expect((await events(store)).map(({ line, run, turn }) => [line, run, turn])).toEqual([
        [1, 1, 1],
        [2, 1, 2],
        [4, 1, 3],
        [5, 2, 1],
        [6, 2, 2],
      ]);
    }),
  );

  test.each([
    ['a torn last line', '{"ts":"2026-01', [1, 3]],
    ['a whole last line without line feed', JSON.stringify(step(2)), [1, 2, 3]],
    ['a line that is no JSON', 'garbage\n', [1, 3]],
    ['a blank line', '\n', [1, 3]],
  ])('goes on behind %s', (_, tail, lines) =>
    onStore(async (store) => {
      await putText(store, journal, text(pickLine(one, '2026-01-02T00:00:01Z')) + tail);
      expect(await events(store)).toEqual(readAgain(store));

      await make(store, append(journal, text(step(3))));

      expect(await events(store)).toEqual(readAgain(store));
      expect((await events(store)).map(({ line }) => line)).toEqual(lines);
    })(),
  );

  test(
    'has every event of a line that two programs wrote at once',
    onStore(async (store) => {
      const ours = (id: SbiId, turn: number): string => {
        const artifacts = [`.deespec/specs/sbi/${id}/implement_${turn}.md`];
        const rest = {
          id: '01M8ABCDEFGHJKMNPQRSTVWXYZ',
          step: 'implement',
          ts: '2026-01-02T00:02:00Z',
          turn,
        };
        return JSON.stringify({ artifacts, ...rest });
      };
      const line = JSON.stringify(step(2)) + ours(two, 3) + ours(one, 4) + ours(one, 5);
      await putText(store, journal, `${text(pickLine(one, '2026-01-02T00:00:01Z'))}${line}\n\n`);
      expect((await events(store)).map(({ line: at, turn }) => [at, turn])).toEqual([
        [1, 1],
        [2, 2],
        [2, 4],
        [2, 5],
      ]);
      expect(await seen(store, (tree) => tree.journal.countOf(one))).toBe(4);

      await make(store, append(journal, text(step(6)) + JSON.stringify(step(7)) + ours(one, 8) + '\n'));

      expect(await events(store)).toEqual(readAgain(store));
      expect(await events(store, two)).toEqual(readAgain(store, two));
      expect(await events(store)).toHaveLength(7);
    }),
  );

  test(
    'has the last events of an SBI that has very many, and counts all',
    onStore(async (store) => {
      const picked = pickLine(one, '2026-01-02T00:00:01Z');
      const many = Array.from({ length: MOST_EVENTS + 1_000 }, () => step(2));
      await putJournal(store, [picked, pickLine(two, '2026-01-02T00:00:01Z'), ...many]);
      expect(await events(store)).toEqual(readAgain(store));
      const counts = (tree: TreeView): number[] => [tree.journal.countOf(one), tree.journal.picksOf(one)];
      expect(await seen(store, counts)).toEqual([MOST_EVENTS + 1_001, 1]);

      await make(store, append(journal, text(step(3)) + text(picked)));

      expect(await events(store)).toHaveLength(MOST_EVENTS);
      expect(await events(store)).toEqual(readAgain(store));
      expect(await seen(store, counts)).toEqual([MOST_EVENTS + 1_003, 2]);
      expect((await events(store)).at(-1)).toMatchObject({ line: MOST_EVENTS + 1_004, run: 2, turn: 1 });
    }),
  );

  if (journalPut === 'replaced') {
    test(
      'follows a journal that was replaced, made shorter, or removed',
      onStore(async (store) => {
        await putJournal(store, [pickLine(one, '2026-01-02T00:00:01Z'), step(2), step(3)]);
        expect(await events(store)).toHaveLength(3);

        await putJournal(store, [pickLine(two, '2026-01-02T00:00:01Z'), step(3), step(2)]);
        expect(await events(store)).toEqual(readAgain(store));
        await putJournal(store, [step(2)]);
        expect(await events(store)).toEqual(readAgain(store));
        expect(await events(store, two)).toEqual([]);
        await make(store, { op: 'discard', path: pathFromText('var') });

        expect(await events(store)).toEqual([]);
      }),
    );
  }
}

/** The SBIs that a plan sees. */
export function planSbis(onStore: OnStore): void {
  test(
    'finds every directory of an id, and no other',
    onStore(async (store) => {
      const root = 'specs/sbi';
      await putState(store, one, {});
      await putText(store, `${root}/${one}/histories/run_1/implement_2.md`, 'x');
      await putText(store, `${root}/${one}_a-slug/spec.md`, 'x');
      for (const name of [`${one}X`, `${one}-x`, `${one}_`, one.slice(0, -1), `x${one}`]) {
        await putText(store, `${root}/${name}/spec.md`, 'x');
      }
      await putText(store, `${root}/${one}_file`, 'no directory');
      await putMeta(store, two, 'title: x\n');
      await putText(store, `specs/pbi/${one}/spec.md`, 'x');

      const [entries, all] = await seen(store, (tree) => [tree.entriesOf(one), [...tree.scan()]]);

      expect(entries.map(({ path }) => path.slice(root.length + 1 + one.length))).toEqual([
        '',
        '/histories',
        '/histories/run_1',
        '/histories/run_1/implement_2.md',
        '/state.json',
        '_a-slug',
        '_a-slug/spec.md',
      ]);
      for (const { path, kind, mode, mtimeNs, size } of entries) {
        expect(all.find((stat) => stat.path === path)).toMatchObject({ kind, mode, mtimeNs, size });
      }
      expect(await seen(store, (tree) => tree.entriesOf(ids(1)[0]!))).toEqual([]);
    }),
  );

  test(
    'lists the newest SBIs first',
    onStore(async (store) => {
      const [a, b, c, d] = ids(4) as [SbiId, SbiId, SbiId, SbiId];
      for (const name of [c, a, `${d}_slug`, b]) await makeDirectories(store, `specs/sbi/${name}`);
      await makeDirectories(store, 'specs/sbi/SBI-ZZZ');
      await putText(store, `specs/sbi/${d.slice(0, -1)}9`, 'no directory');
      const newest = (limit: number): Promise<readonly TreePath[]> =>
        seen(store, (tree) => tree.newestSbis(limit));

      expect(await newest(64)).toEqual([`${d}_slug`, c, b, a].map((name) => `specs/sbi/${name}`));
      expect(await newest(2)).toEqual([`${d}_slug`, c].map((name) => `specs/sbi/${name}`));
    }),
  );

  test(
    'has none in a tree without SBIs',
    onStore(async (store) => {
      await putText(store, 'specs/sbi', 'no directory');

      expect(await seen(store, (tree) => [tree.newestSbis(9), tree.entriesOf(one)])).toEqual([[], []]);
    }),
  );
}

/** Edits that overlap. */
export function overlapping(onStore: OnStore): void {
  test(
    'lose nothing',
    onStore(async (store) => {
      const counter = await putText(store, 'counter', '0');
      const count = (tree: TreeView): number => Number(contentOf(tree, counter).toString());
      const edits = Array.from({ length: 20 }, () =>
        store.edit((tree) => {
          const next = String(count(tree) + 1);
          const edit = put('counter', next, tree.find(counter)!.sha256);
          return { edits: [edit, append('log.ndjson', `${next}\n`)] };
        }),
      );

      await Promise.all(edits);

      const numbers = Array.from({ length: 20 }, (_, at) => at + 1);
      expect(contentOf(store, counter).toString()).toBe('20');
      expect(contentOf(store, pathFromText('log.ndjson')).toString()).toBe(`${numbers.join('\n')}\n`);
    }),
  );

  test(
    'keep the others when one of them fails',
    onStore(async (store) => {
      await putText(store, 'f', 'x');
      const edits = Array.from({ length: 9 }, (_, at) =>
        make(store, append('log.ndjson', `${at}\n`), at % 3 === 1 ? put('f', 'y') : put(`f${at}`, 'y')),
      );

      const outcomes = await Promise.allSettled(edits);

      expect(outcomes.map(({ status }) => status === 'rejected')).toEqual(edits.map((_, at) => at % 3 === 1));
      expect(contentOf(store, pathFromText('log.ndjson')).toString()).toBe('0\n2\n3\n5\n6\n8\n');
    }),
  );
}

/** What edits say of themselves. */
export function auditing(onStore: OnStore): void {
  const note = (action: string): AuditNote => {
    return { timestamp: '2026-01-02T03:04:05.000000000Z', entityType: 'sbi', entityId: one, action };
  };

  test(
    'is chained from plan to plan',
    onStore(async (store) => {
      const full = {
        ...note('b'),
        oldValue: '1',
        newValue: '"é"',
        user: 'u',
        sessionId: 's',
        requestId: 'r',
      };
      const hashes = { oldHash: sha256(Buffer.from('x')), newHash: sha256(Buffer.from('y')) };

      const first = await store.edit(() => ({ edits: [put('f', 'x')], audit: [note('a')] }));
      const none = await make(store, put('g', 'x'));
      const next = await store.edit(() => ({
        edits: [put('h', 'x')],
        audit: [{ ...full, ...hashes }, note('c')],
      }));

      const [a, b, c] = [...first.audit, ...none.audit, ...next.audit];
      expect([a?.seq, b?.seq, c?.seq]).toEqual([1, 2, 3]);
      expect(isChained(a!, undefined) && isChained(b!, a) && isChained(c!, b)).toBe(true);
      expect(b).toEqual(chainAudit({ ...full, ...hashes }, a));
    }),
  );

  test(
    'has no record of an edit that was not made',
    onStore(async (store) => {
      await putText(store, 'f', 'x');
      await expectCode(
        () => store.edit(() => ({ edits: [put('f', 'y')], audit: [note('a')] })),
        'FILE.CHANGED',
      );

      const made = await store.edit(() => ({ edits: [put('g', 'y')], audit: [note('b')] }));

      expect(made.audit).toEqual([chainAudit(note('b'), undefined)]);
    }),
  );

  test(
    'is whole when edits overlap',
    onStore(async (store) => {
      const edits = Array.from({ length: 10 }, (_, at) =>
        store.edit(() => ({ edits: [put(`f${at}`, 'x')], audit: [note(`${at}`)] })),
      );

      const records = (await Promise.all(edits)).flatMap(({ audit }) => audit).sort((a, b) => a.seq - b.seq);

      expect(records).toHaveLength(10);
      expect(records.every((record, at) => isChained(record, records[at - 1]))).toBe(true);
    }),
  );
}
