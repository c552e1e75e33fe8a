/* eslint-disable max-lines-per-function -- a registration function is a list of tests */
import {
  pathFromText,
  putIf,
  removeIf,
  sbiOrders,
  timeFromNs,
  type AuditNote,
  type Execution,
  type ExecutionKey,
  type Index,
  type IndexFilter,
  type SbiFilter,
  type SbiId,
  type TreeStore,
} from '@deespec/domain';
import { expect, test } from '@jest/globals';

import { expectCode, putText, sha256, someTimeNs } from './expectations.js';
import type { OnStorage } from './open-storage.js';
import { ids, one, putMeta, putState, two } from './sample-sbis.js';

/** Order, pages and filters of SBIs. */
export function sbiPages(on: OnStorage): void {
  test(
    'orders by creation, then id, and keeps that order under equal times',
    on(async ({ store, index }) => {
      const [a, b, c, d] = ids(4) as [SbiId, SbiId, SbiId, SbiId];
      for (const id of [d, b, a]) await putState(store, id, { created_at: '2026-01-02T00:00:00Z' });
      await putState(store, c, { created_at: '2026-01-01T23:59:59.999999999Z' });

      expect((await index.listSbis()).map((sbi) => sbi.id)).toEqual([c, a, b, d]);
      expect((await index.listSbis({ limit: 2 })).map((sbi) => sbi.id)).toEqual([c, a]);
      expect((await index.listSbis({ limit: 2, after: a })).map((sbi) => sbi.id)).toEqual([b, d]);
      expect(await index.listSbis({ after: d })).toEqual([]);
    }),
  );

  test(
    'filters by status and by whole label',
    on(async ({ store, index }) => {
      const [a, b, c] = ids(3) as [SbiId, SbiId, SbiId];
      await putState(store, a, { status: 'WIP', label: 'red,green' });
      await putState(store, b, { status: 'DONE', label: 'redder' });
      await putMeta(store, c, 'labels: ["100%", red]\n');
      const listed = async (filter: Parameters<Index['listSbis']>[0]) =>
        (await index.listSbis(filter)).map(({ id }) => id);

      expect(await listed({ label: 'red' })).toEqual([a, c]);
      expect(await listed({ label: 'red,green' })).toEqual([a]);
      expect(await listed({ label: '%' })).toEqual([]);
      expect(await listed({ label: '100%' })).toEqual([c]);
      expect(await listed({ status: 'DONE' })).toEqual([b]);
      expect(await listed({ status: 'WIP', label: 'redder' })).toEqual([]);
      expect(new Map(await index.countSbis())).toEqual(
        new Map([
          ['WIP', 1],
          ['DONE', 1],
          ['READY', 1],
        ]),
      );
    }),
  );

  test(
    'orders by priority for who takes the next one, where 0 says nothing',
    on(async ({ store, index }) => {
      const [a, b, c, d, e, f, g] = ids(7) as [SbiId, SbiId, SbiId, SbiId, SbiId, SbiId, SbiId];
      const at = (day: number): string => `2026-01-0${day}T00:00:00Z`;
      await putState(store, a, { priority: 0, created_at: at(1) });
      await putState(store, b, { priority: 5, created_at: at(2), status: 'WIP' });
      await putState(store, c, { priority: 5, created_at: at(1) });
      await putState(store, d, { priority: 1000, created_at: at(1) });
      await putMeta(store, e, `created_at: ${at(1)}\n`);
      await putState(store, f, { priority: 999, created_at: at(1) });
      await putState(store, g, { priority: -1, created_at: at(3) });
      const next = async (filter: SbiFilter = {}): Promise<SbiId[]> =>
        (await index.listSbis({ order: 'next', ...filter })).map(({ id }) => id);

      const all = [g, c, b, a, e, f, d];
      expect(await next()).toEqual(all);
      expect(await next({ status: 'READY', limit: 2 })).toEqual([g, c]);
      for (const [at_, id] of all.entries()) {
        expect(await next({ after: id, limit: 2 })).toEqual(all.slice(at_ + 1, at_ + 3));
      }
      expect((await index.listSbis({ order: 'created', limit: 2 })).map(({ id }) => id)).toEqual([a, c]);
    }),
  );

  test(
    'gives 100 rows when no limit is named, and refuses limits outside 1 to 1,000',
    on(async ({ store, index }) => {
      await putState(store, one, {});

      expect(await index.listSbis({ limit: 1 })).toHaveLength(1);
      expect(await index.listSbis({ limit: 1000 })).toHaveLength(1);
      for (const limit of [0, -1, 1001, 1.5, NaN]) {
        await expectCode(() => index.listSbis({ limit }), 'USAGE.INVALID');
        await expectCode(() => index.listExecutions({ limit }), 'USAGE.INVALID');
        await expectCode(() => index.listAudit({ limit }), 'USAGE.INVALID');
      }
    }),
  );

  test(
    'refuses to page after an SBI that does not exist',
    on(async ({ index }) => {
      await expectCode(() => index.listSbis({ after: one }), 'SBI.NOT_FOUND');
    }),
  );
}

/** Orders that a list can have, with its pages. */
export function sbiOrderings(on: OnStorage): void {
  test(
    'lists those that have a state.json of their own, with other filters and as it comes and goes',
    on(async ({ store, index }) => {
      const [a, b, c] = ids(3) as [SbiId, SbiId, SbiId];
      await putMeta(store, a, 'title: heron\nlabels: [x]\n');
      await putState(store, b, { title: 'heron', label: 'x' });
      await putState(store, c, { title: 'crane', status: 'DONE' });
      const listed = async (filter: IndexFilter = {}): Promise<SbiId[]> =>
        (await index.listSbis({ hasState: true, order: 'next', ...filter })).map(({ id }) => id);

      expect((await listed()).sort()).toEqual([b, c]);
      expect(await listed({ status: 'READY' })).toEqual([b]);
      expect(await listed({ label: 'x' })).toEqual([b]);
      expect(await listed({ search: 'heron' })).toEqual([b]);

      await putText(store, `specs/sbi/${a}/histories/run_1/state.json`, '{}');
      await putText(store, `specs/sbi/${a}/notes/state.json`, '{}');
      expect(await listed({ status: 'READY' })).toEqual([b]);
      const path = pathFromText(`specs/sbi/${b}/state.json`);
      await putText(store, `specs/sbi/${b}/spec.md`, 'still there');
      await removeIf(store, path, store.find(path)!.sha256);
      expect(await listed({ status: 'READY' })).toEqual([]);
    }),
  );

  test(
    'orders by any column in either direction, and pages go on alike',
    on(async ({ store, index }) => {
      const [a, b, c, d] = ids(4) as [SbiId, SbiId, SbiId, SbiId];
      const times = { created_at: '2026-01-01T00:00:00Z', updated_at: '2026-01-05T00:00:00Z' };
      await putState(store, a, { ...times, priority: 0, status: 'WIP' });
      await putState(store, b, {
        ...times,
        priority: 10,
        status: 'READY',
        updated_at: '2026-01-04T00:00:00Z',
      });
      await putState(store, c, { ...times, priority: 9, status: 'DONE', created_at: '2026-01-03T00:00:00Z' });
      await putState(store, d, { ...times, priority: 10, status: 'READY' });
      const expected = {
        created: [a, b, d, c],
        next: [c, b, d, a],
        updated: [b, a, d, c],
        priority: [a, c, b, d],
        status: [c, b, d, a],
        id: [a, b, c, d],
      };

      for (const order of sbiOrders) {
        for (const direction of ['ascending', 'descending'] as const) {
          const wanted = direction === 'ascending' ? expected[order] : expected[order].toReversed();
          const rows = await index.listSbis({ order, direction });
          expect({ order, direction, ids: rows.map(({ id }) => id) }).toEqual({
            order,
            direction,
            ids: wanted,
          });
          const rest = await index.listSbis({ order, direction, after: wanted[1]!, limit: 2 });
          expect(rest.map(({ id }) => id)).toEqual(wanted.slice(2));
          const ready = wanted.filter((id) => id === b || id === d);
          const next = await index.listSbis({ order, direction, status: 'READY', after: ready[0]! });
          expect(next.map(({ id }) => id)).toEqual(ready.slice(1));
        }
      }
    }),
  );
}

/** Order and pages of executions. */
export function executionPages(on: OnStorage): void {
  test(
    'orders by SBI, run, turn as numbers, then step',
    on(async ({ store, index }) => {
      await putState(store, two, {});
      await putState(store, one, {});
      for (const file of ['test_2', 'implement_10', 'implement_2', 'review_2', 'implement_1']) {
        await putText(store, `specs/sbi/${one}/${file}.md`, file);
      }
      await putText(store, `specs/sbi/${two}/implement_1.md`, 'x');
      const keys = (executions: readonly Execution[]) =>
        executions.map(({ sbiId, turn, step }) => `${sbiId === one ? 1 : 2} ${turn} ${step}`);
      const all = [
        '1 1 implement',
        '1 2 implement',
        '1 2 review',
        '1 2 test',
        '1 10 implement',
        '2 1 implement',
      ];

      expect(keys(await index.listExecutions())).toEqual(all);
      expect(keys(await index.listExecutions({ limit: 2 }))).toEqual(all.slice(0, 2));
      const after: ExecutionKey = { sbiId: one, run: 1, turn: 2, step: 'review' };
      expect(keys(await index.listExecutions({ after }))).toEqual(all.slice(3));
      expect(keys(await index.listExecutions({ after: { ...after, step: 'r' }, limit: 1 }))).toEqual(
        all.slice(2, 3),
      );
      expect(keys(await index.listExecutions({ after: { ...after, turn: 99 } }))).toEqual(all.slice(5));
      expect(keys(await index.listExecutions({ sbiId: two }))).toEqual(all.slice(5));
      expect(await index.listExecutions({ run: 2 })).toEqual([]);
    }),
  );
}

/** Contents of executions. */
export function contents(on: OnStorage): void {
  test.each([
    ['Markdown', Buffer.from('# é\r\n')],
    ['no bytes', Buffer.alloc(0)],
    ['invalid UTF-8 and NULs', Buffer.from([0x61, 0xff, 0x00, 0xfe])],
    ['more than 1 MiB', Buffer.alloc(1_500_000, 'z\n')],
  ])('gives back %s', (_, bytes) =>
    on(async ({ store, index }) => {
      await putState(store, one, {});
      const path = pathFromText(`specs/sbi/${one}/implement_1.md`);
      await putIf(store, { path, kind: 'file', mode: 0o644, mtimeNs: someTimeNs, bytes }, undefined);
      const key = { sbiId: one, run: 1, turn: 1, step: 'implement' };

      expect((await index.getExecution(key)).contentPath).toBe(path);
      expect((await index.readContent(key))?.equals(bytes)).toBe(true);

      const next = Buffer.concat([bytes, Buffer.from('more')]);
      await putIf(store, { path, kind: 'file', mode: 0o644, bytes: next }, sha256(bytes));
      expect((await index.readContent(key))?.equals(next)).toBe(true);
    })(),
  );
}

/** Settings. */
export function config(on: OnStorage): void {
  test(
    'has one row per key, in byte order, with the source text of big numbers',
    on(async ({ store, index }) => {
      await putText(
        store,
        'setting.json',
        '{"zeta": 1e400, "big":9007199254740993, "a.b": {"x" : [1,2]}, "Alpha": null}',
      );

      const rows = await index.listConfig();

      expect(rows.map((row) => row.key)).toEqual([
        'setting.Alpha',
        'setting.a.b',
        'setting.big',
        'setting.zeta',
      ]);
      expect(await index.getConfig('setting.big')).toEqual({
        key: 'setting.big',
        valueJson: '9007199254740993',
        updatedAt: timeFromNs(someTimeNs),
      });
      expect((await index.getConfig('setting.zeta')).valueJson).toBe('1e400');
      expect(JSON.parse((await index.getConfig('setting.a.b')).valueJson)).toEqual({ x: [1, 2] });
    }),
  );

  test(
    'follows a change and a removal of the file',
    on(async ({ store, index }) => {
      const path = await putText(store, 'setting.json', '{"max_turns": 8, "gone": true}');
      await putText(store, 'workflow.json', '{"name": "w"}');
      await putText(store, 'setting.json', '{"max_turns": 9}');

      expect((await index.listConfig()).map((row) => [row.key, row.valueJson])).toEqual([
        ['setting.max_turns', '9'],
        ['workflow.name', '"w"'],
      ]);
      await expectCode(() => index.getConfig('setting.gone'), 'CONFIG.NOT_FOUND');

      await removeIf(store, path, store.find(path)!.sha256);

      expect((await index.listConfig()).map((row) => row.key)).toEqual(['workflow.name']);
    }),
  );
}

/** Audit rows. */
export function audit(on: OnStorage): void {
  const put = async (store: TreeStore, txid: string, committedAt: string): Promise<void> => {
    const place = `journal/2026-01-02/${txid}`;
    const files = [{ type: 'create', destination: `specs/sbi/${one}/spec.md`, size: 3, mode: 420 }];
    const manifest = {
      id: txid,
      description: 'register',
      files,
      created_at: committedAt,
      meta: { user: 'u', session_id: 's' },
    };
    await putText(store, `${place}/manifest.json`, JSON.stringify(manifest));
    const commit = { txn_id: txid, committed_at: committedAt, committed_files: [], success: true };
    await putText(store, `${place}/status.commit`, JSON.stringify(commit));
  };

  test(
    'has one row per transaction, oldest first, then by source',
    on(async ({ store, index }) => {
      await put(store, 'txn_c', '2026-01-02T00:00:02Z');
      await put(store, 'txn_b', '2026-01-02T00:00:01Z');
      await put(store, 'txn_a', '2026-01-02T00:00:02Z');

      const rows = await index.listAudit();

      expect(rows.map((row) => row.source)).toEqual(
        ['txn_b', 'txn_a', 'txn_c'].map((id) => `journal/2026-01-02/${id}`),
      );
      expect(rows[0]).toMatchObject({
        timestamp: '2026-01-02T00:00:01.000000000Z',
        entityId: one,
        user: 'u',
        sessionId: 's',
      });
      expect(await index.listAudit({ limit: 2 })).toEqual(rows.slice(0, 2));
      expect(await index.listAudit({ entityId: one })).toEqual(rows);
      expect(await index.listAudit({ entityId: two })).toEqual([]);
      expect(await index.listAudit({ first: 'newest' })).toEqual(rows.toReversed());
      expect(await index.listAudit({ first: 'newest', offset: 1, limit: 1 })).toEqual([rows[1]]);
    }),
  );

  test(
    'has the records of edits among the rows, in their order',
    on(async ({ store, index }) => {
      await put(store, 'txn_b', '2026-01-02T00:00:02Z');
      const note = (action: string, second: number): AuditNote => {
        const timestamp = `2026-01-02T00:00:0${second}.000000000Z`;
        return { timestamp, entityType: 'sbi', entityId: one, action, newValue: '{"a":1}', requestId: 'r' };
      };
      const notes = [note('d', 3), note('c', 3), note('a', 1)];
      const first = await store.edit(() => ({ edits: [], audit: notes.slice(0, 1) }));
      const rest = await store.edit(() => ({ edits: [], audit: notes.slice(1) }));

      const [d, c, a] = [...first.audit, ...rest.audit];
      const rows = await index.listAudit();
      expect(rows.map(({ action }) => action)).toEqual(['a', 'register', 'd', 'c']);
      expect([rows[0], rows[2], rows[3]]).toEqual([a, d, c]);
      expect(await index.listAudit({ entityId: one, offset: 2, limit: 1 })).toEqual([d]);
    }),
  );

  test(
    'lists from a time on, and from a row on',
    on(async ({ store, index }) => {
      for (const second of [1, 2, 3, 4]) await put(store, `txn_${second}`, `2026-01-02T00:00:0${second}Z`);
      const rows = await index.listAudit();
      const since = '2026-01-02T00:00:03.000000000Z';

      expect(await index.listAudit({ since })).toEqual(rows.slice(2));
      expect(await index.listAudit({ since: '2026-01-02T00:00:02.000000001Z' })).toEqual(rows.slice(2));
      expect(await index.listAudit({ offset: 1, limit: 2 })).toEqual(rows.slice(1, 3));
      expect(await index.listAudit({ since, offset: 1, entityId: one })).toEqual(rows.slice(3));
      expect(await index.listAudit({ offset: 4 })).toEqual([]);
      for (const offset of [-1, 0.5, NaN]) {
        await expectCode(() => index.listAudit({ offset }), 'USAGE.INVALID');
      }
    }),
  );
}
