/* eslint-disable max-lines-per-function -- a registration function is a list of tests */
import { pathFromText, removeIf, type Execution, type Index } from '@deespec/domain';
import { describe, expect, test } from '@jest/globals';

import { expectCode, putText } from './expectations.js';
import { changes } from './index-changes.js';
import { activity, failurePages } from './index-activity.js';
import { audit, config, contents, executionPages, sbiOrderings, sbiPages } from './index-lists.js';
import { searchChanges, searchedParts, searches } from './index-search.js';
import { withStorage, type OnStorage, type OpenStorage } from './open-storage.js';
import { one, pickLine, putJournal, putMeta, putState, stepLine, two } from './sample-sbis.js';
import { append, make } from './tree-edits.js';

/**
 * Registers the contract of `Index` for one storage: its rows follow every write of its `TreeStore`, and its lists have the
 * promised order and pages. Every storage passes all of it.
 *
 * @param open - called once per test, for a fresh and empty storage
 */
export function indexContract(name: string, open: OpenStorage): void {
  const on: OnStorage = (work) => () => withStorage(open, work);
  describe(`Index: ${name}`, () => {
    describe('of an empty store', () => emptyStore(on));
    describe('layout A', () => layoutA(on));
    describe('layout B', () => layoutB(on));
    describe('after edits', () => edits(on));
    describe('changes', () => changes(on));
    describe('listSbis', () => sbiPages(on));
    describe('orders', () => sbiOrderings(on));
    describe('readActivity', () => activity(on));
    describe('search', () => searches(on));
    describe('listSearched', () => searchedParts(on));
    describe('search after changes', () => searchChanges(on));
    describe('listExecutions', () => executionPages(on));
    describe('listFailures', () => failurePages(on));
    describe('readContent', () => contents(on));
    describe('config', () => config(on));
    describe('audit', () => audit(on));
  });
}

function emptyStore(on: OnStorage): void {
  test(
    'has no rows',
    on(async ({ index }) => {
      expect(await index.listSbis()).toEqual([]);
      expect((await index.countSbis()).size).toBe(0);
      expect(await index.listExecutions()).toEqual([]);
      expect(await index.listConfig()).toEqual([]);
      expect(await index.listAudit()).toEqual([]);
    }),
  );

  test(
    'says which thing is not there',
    on(async ({ index }) => {
      const key = { sbiId: one, run: 1, turn: 1, step: 'plan' };

      await expectCode(() => index.getSbi(one), 'SBI.NOT_FOUND');
      await expectCode(() => index.getExecution(key), 'EXECUTION.NOT_FOUND');
      await expectCode(() => index.readContent(key), 'EXECUTION.NOT_FOUND');
      await expectCode(() => index.getConfig('setting.none'), 'CONFIG.NOT_FOUND');
    }),
  );
}

function layoutA(on: OnStorage): void {
  test(
    'has the columns of state.json and keeps the other keys',
    on(async ({ store, index }) => {
      await putState(store, one, {
        task_id: 'T-7',
        title: 'A title',
        label: 'x,y',
        priority: 3,
        status: 'DONE',
        created_at: '2026-01-02T03:04:05.123456789+09:00',
        updated_at: '2026-01-03T00:00:00Z',
        completed_at: '2026-01-04T00:00:00Z',
        'a.b': { c: [1] },
      });

      expect(await index.getSbi(one)).toMatchObject({
        id: one,
        taskId: 'T-7',
        label: 'x,y',
        priority: 3,
        status: 'DONE',
        createdAt: '2026-01-01T18:04:05.123456789Z',
        updatedAt: '2026-01-03T00:00:00.000000000Z',
        completedAt: '2026-01-04T00:00:00.000000000Z',
        metadata: { title: 'A title' },
      });
      expect((await index.getSbi(one)).metadata['a.b']).toEqual({ c: [1] });
    }),
  );

  test(
    'follows a change and a removal of state.json',
    on(async ({ store, index }) => {
      await putState(store, one, { status: 'READY' });
      expect((await index.getSbi(one)).status).toBe('READY');

      await putState(store, one, { status: 'REVIEW&WIP', decision: 'PENDING' });
      expect((await index.getSbi(one)).status).toBe('REVIEW&WIP');
      expect([...(await index.countSbis())]).toEqual([['REVIEW&WIP', 1]]);

      const path = pathFromText(`specs/sbi/${one}/state.json`);
      await removeIf(store, path, store.find(path)!.sha256);
      await expectCode(() => index.getSbi(one), 'SBI.NOT_FOUND');
      expect((await index.countSbis()).size).toBe(0);
    }),
  );

  test(
    'has an execution for every step file, and none for one that was removed',
    on(async ({ store, index }) => {
      await putState(store, one, { status: 'WIP', turn: 2 });
      await putText(store, `specs/sbi/${one}/implement_1.md`, 'work');
      const review = await putText(
        store,
        `specs/sbi/${one}/review_2.md`,
        'good\n\n**DECISION: SUCCEEDED**\n',
      );

      expect((await index.listExecutions({ sbiId: one })).map(short)).toEqual([
        '1/1 implement PENDING',
        '1/2 review SUCCEEDED',
      ]);

      await removeIf(store, review, store.find(review)!.sha256);
      expect((await index.listExecutions({ sbiId: one })).map(short)).toEqual(['1/1 implement PENDING']);
    }),
  );

  test(
    'withholds an SBI whose state.json is damaged, until it is repaired',
    on(async ({ store, index }) => {
      await putText(store, `specs/sbi/${one}/state.json`, '{"status": "WI');
      await putState(store, two, {});
      expect((await index.listSbis()).map((sbi) => sbi.id)).not.toContain(one);

      await putState(store, one, { status: 'WIP' });

      expect((await index.listSbis()).map((sbi) => sbi.id).sort()).toEqual([one, two]);
    }),
  );
}

function short({ run, turn, step, decision }: Execution): string {
  return `${run}/${turn} ${step} ${decision}`;
}

function layoutB(on: OnStorage): void {
  test(
    'has the columns of meta.yml and follows its change',
    on(async ({ store, index }) => {
      await putMeta(
        store,
        one,
        'title: A title\nlabels: [x, y]\npriority: 5\ncreated_at: 2026-01-02T03:04:05.000000007Z\n',
      );
      expect(await index.getSbi(one)).toMatchObject({
        label: 'x,y',
        priority: 5,
        status: 'READY',
        createdAt: '2026-01-02T03:04:05.000000007Z',
        metadata: { title: 'A title', labels: ['x', 'y'] },
      });

      await putMeta(store, one, 'title: Another\n');

      expect(await index.getSbi(one)).toMatchObject({ priority: 0, metadata: { title: 'Another' } });
      expect(await index.getSbi(one)).not.toHaveProperty('label');
    }),
  );

  test(
    'follows the journal line by line, and through a second run',
    on(async ({ store, index }) => {
      await putMeta(store, one, 'title: x\n');
      await putMeta(store, two, 'title: y\n');
      await putText(store, `specs/sbi/${one}/implement_2.md`, 'second run');
      const implement = { step: 'implement', turn: 2, ts: '2026-01-02T00:00:02Z' };
      const lines = [
        pickLine(one, '2026-01-02T00:00:01Z'),
        stepLine(one, 'implement_2.md', implement),
        stepLine(one, 'done_3.md', {
          step: 'done',
          turn: 3,
          ts: '2026-01-02T00:00:03Z',
          status: 'DONE',
          decision: 'SUCCEEDED',
        }),
      ];
      await putJournal(store, lines);
      expect((await index.getSbi(one)).status).toBe('DONE');
      expect(await index.getSbi(one)).toMatchObject({
        taskId: `T-${one}`,
        completedAt: '2026-01-02T00:00:03.000000000Z',
      });

      lines.push(pickLine(one, '2026-01-02T00:00:04Z'));
      lines.push(stepLine(one, 'implement_2.md', { ...implement, ts: '2026-01-02T00:00:05Z' }));
      await putJournal(store, lines);

      expect((await index.listExecutions({ sbiId: one })).map(short)).toEqual([
        '1/1 plan PENDING',
        '1/2 implement PENDING',
        '1/3 done SUCCEEDED',
        '2/1 plan PENDING',
        '2/2 implement PENDING',
      ]);
      expect(await index.getSbi(one)).toMatchObject({ status: 'WIP' });
      expect(await index.listExecutions({ sbiId: two })).toEqual([]);
      expect((await index.readContent({ sbiId: one, run: 2, turn: 2, step: 'implement' }))?.toString()).toBe(
        'second run',
      );
      expect(await index.readContent({ sbiId: one, run: 1, turn: 2, step: 'implement' })).toBeUndefined();
    }),
  );

  test(
    'follows var/state.json for the SBI in work',
    on(async ({ store, index }) => {
      await putMeta(store, one, 'title: x\n');
      const state = {
        version: 1,
        current: 'review',
        status: 'REVIEW',
        turn: 3,
        wip: one,
        decision: 'PENDING',
        attempt: 1,
      };
      await putText(store, 'var/state.json', JSON.stringify(state));
      expect((await index.getSbi(one)).status).toBe('REVIEW');

      await putText(store, 'var/state.json', JSON.stringify({ ...state, wip: two }));

      expect((await index.getSbi(one)).status).toBe('READY');
    }),
  );

  test(
    'takes a directory named by id and slug',
    on(async ({ store, index }) => {
      await putText(store, `specs/sbi/${one}_a-slug/meta.yml`, `id: ${one}\ntitle: x\n`);

      expect((await index.getSbi(one)).metadata).toMatchObject({ title: 'x' });
    }),
  );
}

function edits(on: OnStorage): void {
  const statuses = async (index: Index): Promise<unknown[]> =>
    (await index.listSbis()).map(({ id, status }) => [id, status]);

  test(
    'follows lines that are appended, of several SBIs at once',
    on(async ({ store, index }) => {
      await putMeta(store, one, 'created_at: 2026-01-01T00:00:00Z\n');
      await putMeta(store, two, 'created_at: 2026-01-02T00:00:00Z\n');
      await putJournal(
        store,
        [one, two].map((id) => pickLine(id, '2026-01-02T00:00:01Z')),
      );
      const text = (line: object): string => `${JSON.stringify(line)}\n`;
      const done = { step: 'done', turn: 3, ts: '2026-01-02T00:00:03Z', status: 'DONE' };

      await make(store, append(journal, text(stepLine(two, 'done_3.md', done))));
      expect(await statuses(index)).toEqual([
        [one, 'READY'],
        [two, 'DONE'],
      ]);
      await make(
        store,
        append(journal, text(pickLine(two, '2026-01-02T00:00:04Z'))),
        append(journal, text(stepLine(one, 'done_3.md', done))),
      );

      expect(await statuses(index)).toEqual([
        [one, 'DONE'],
        [two, 'READY'],
      ]);
      expect((await index.listExecutions({ sbiId: one })).map(short)).toEqual([
        '1/1 plan PENDING',
        '1/3 done PENDING',
      ]);
    }),
  );

  test(
    'has no rows of a directory that was discarded',
    on(async ({ store, index }) => {
      await putState(store, one, {});
      await putText(store, `specs/sbi/${one}/implement_1.md`, 'x');
      await putState(store, two, {});

      await make(store, { op: 'discard', path: pathFromText(`specs/sbi/${one}`) });

      expect(await statuses(index)).toEqual([[two, 'READY']]);
      expect(await index.listExecutions()).toEqual([]);
      await make(store, { op: 'discard', path: pathFromText('specs') });
      expect(await statuses(index)).toEqual([]);
    }),
  );

  test(
    'takes the second directory of an id for the SBI when the first is gone',
    on(async ({ store, index }) => {
      await putState(store, one, { title: 'first' });
      await putText(store, `specs/sbi/${one}_slug/meta.yml`, 'title: second\n');
      expect((await index.getSbi(one)).metadata['title']).toBe('first');

      await make(store, { op: 'discard', path: pathFromText(`specs/sbi/${one}`) });
      expect((await index.getSbi(one)).metadata['title']).toBe('second');
      await putState(store, one, { title: 'again' });

      expect((await index.getSbi(one)).metadata['title']).toBe('again');
    }),
  );

  test(
    'gives a setting to workflow.json as long as that has it',
    on(async ({ store, index }) => {
      await putText(store, 'etc/workflow.yaml', 'agent: yaml\n');
      const value = async (): Promise<string> => (await index.getConfig('workflow.agent')).valueJson;
      expect(await value()).toBe('"yaml"');

      const path = await putText(store, 'workflow.json', '{"agent": "json"}');
      expect(await value()).toBe('"json"');
      await removeIf(store, path, store.find(path)!.sha256);

      expect(await value()).toBe('"yaml"');
    }),
  );
}

const journal = 'var/journal.ndjson';
