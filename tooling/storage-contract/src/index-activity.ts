import type { SbiId } from '@deespec/domain';
import { expect, test } from '@jest/globals';

import { expectCode } from './expectations.js';
import type { OnStorage } from './open-storage.js';
import { one, pickLine, putJournal, putMeta, stepLine, two } from './sample-sbis.js';

/** What was done, in numbers. */
export function activity(on: OnStorage): void {
  test(
    'counts what ended since a time, by day and by step',
    on(async ({ store, index }) => {
      await putMeta(store, one, '');
      const line = (second: number, values: object): object =>
        stepLine(one, 'x.md', { ts: `2026-01-0${second}T00:00:00Z`, ...values });
      await putJournal(store, [
        pickLine(one, '2026-01-01T00:00:00Z'),
        line(2, { turn: 2, step: 'implement', elapsed_ms: 100 }),
        line(3, { turn: 3, step: 'review', elapsed_ms: 1_000, decision: 'NEEDS_CHANGES' }),
        line(3, { turn: 4, step: 'implement', elapsed_ms: 300 }),
        line(4, { turn: 5, step: 'done', elapsed_ms: 5, decision: 'SUCCEEDED', status: 'DONE' }),
      ]);

      const { days, steps } = await index.readActivity('2026-01-02T00:00:00.000000000Z');

      expect(days).toEqual([
        { day: '2026-01-02', completed: 0, executions: 1 },
        { day: '2026-01-03', completed: 0, executions: 2 },
        { day: '2026-01-04', completed: 1, executions: 1 },
      ]);
      expect(steps).toEqual([
        { step: 'done', count: 1, medianMs: 5, p95Ms: 5 },
        { step: 'implement', count: 2, medianMs: 100, p95Ms: 300 },
        { step: 'review', count: 1, medianMs: 1_000, p95Ms: 1_000 },
      ]);
    }),
  );
}

/** What failed, across all SBIs. */
export function failurePages(on: OnStorage): void {
  test(
    'lists what failed since a time, newest end first, and pages go on alike',
    on(async ({ store, index }) => {
      await putMeta(store, one, '');
      await putMeta(store, two, '');
      const line = (id: SbiId, second: number, values: object): object =>
        stepLine(id, 'x.md', { ts: `2026-01-0${second}T00:00:00Z`, step: 'implement', ...values });
      await putJournal(store, [
        pickLine(one, '2026-01-01T00:00:00Z'),
        line(one, 2, { turn: 2, decision: 'FAILED' }),
        line(one, 3, { turn: 3, decision: 'NEEDS_CHANGES' }),
        line(one, 4, { turn: 4, decision: 'NEEDS_CHANGES', error: 'agent timed out' }),
        line(two, 4, { turn: 2, decision: 'FAILED', error: '' }),
        line(two, 5, { turn: 3, decision: 'SUCCEEDED', error: '', status: 'DONE' }),
      ]);
      const since = '2026-01-01T00:00:00.000000000Z';
      const listed = async (filter: object = {}): Promise<string[]> =>
        (await index.listFailures({ since, ...filter })).map(
          ({ sbiId, turn }) => `${sbiId === one ? 'one' : 'two'} ${turn}`,
        );

      const all = await listed();
      expect(all).toEqual([one < two ? 'two 2' : 'one 4', one < two ? 'one 4' : 'two 2', 'one 2']);
      const [first, second] = await index.listFailures({ since, limit: 2 });
      expect(await listed({ after: first })).toEqual(all.slice(1));
      expect(await listed({ after: second })).toEqual(all.slice(2));
      expect(await listed({ since: '2026-01-02T00:00:00.000000001Z' })).toEqual(all.slice(0, 2));
      await expectCode(() => index.listFailures({ since, limit: 0 }), 'USAGE.INVALID');
      await expectCode(
        () => index.listFailures({ since, after: { sbiId: one, run: 9, turn: 9, step: 'x' } }),
        'EXECUTION.NOT_FOUND',
      );
    }),
  );
}
