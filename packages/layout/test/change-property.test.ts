import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { isStorageError, timeFromDate } from '@deespec/domain';
import type { Change, DerivedUnit } from '@deespec/domain';

import { make, pathOf } from './change-support.js';
import { honest, OTHER, someChange, trees } from './some-change.js';
import { derive, DIR, quarantinedOf, unitAt } from './support.js';

/** What a tree says of an SBI, without where in the journal it says so. */
function said({ executions }: DerivedUnit): Map<string, unknown> {
  return new Map(
    executions.map(({ run, turn, step, status, decision, attempt, startedAt, completedAt }) => {
      return [`${run}/${turn}/${step}`, { status, decision, attempt, startedAt, completedAt }];
    }),
  );
}

/** What was asked for and does not read so. */
function unsaid(asked: Change, unit: DerivedUnit): string[] {
  if (asked.kind === 'update-sbi') {
    const { status } = asked.fields;
    return status === undefined || unit.sbi?.status === status ? [] : ['status'];
  }
  if (asked.kind !== 'append-execution') return [];
  const { run, turn, step, decision } = asked.execution;
  const row = said(unit).get(`${run}/${turn}/${step}`) as { decision: string } | undefined;
  return row?.decision === decision ? [] : ['execution'];
}

test('any sequence of changes keeps what was said, of this SBI and of others, or is refused', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...trees),
      fc.array(someChange, { minLength: 1, maxLength: 8 }),
      (tree, changes) => {
        let files = tree;
        changes.forEach((asked, i) => {
          const before = derive(files);
          let made: ReturnType<typeof make>;
          try {
            const now = timeFromDate(new Date(Date.UTC(2026, 5, 1, 0, i)));
            made = make(files, asked, { now, lineId: `line-${i}` });
          } catch (error) {
            if (!isStorageError(error) || !honest.includes(error.code)) throw error;
            return;
          }
          const [old, now] = [unitAt(before, DIR), unitAt(made.units, DIR)];
          expect(quarantinedOf(made.units)).toEqual([]);
          expect([...said(now)]).toEqual(expect.arrayContaining([...said(old)]));
          expect(unitAt(made.units, OTHER)).toEqual(unitAt(before, OTHER));
          const edited = new Set<string>(made.edits.map(pathOf));
          const untouched = Object.entries(files).filter(([path]) => !edited.has(path));
          expect(untouched.filter(([path, content]) => made.files[path] !== content)).toEqual([]);
          expect(unsaid(asked, now)).toEqual([]);
          files = made.files;
        });
      },
    ),
    { numRuns: 150 },
  );
});
