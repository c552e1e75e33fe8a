import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { artifactSteps, decisions, isStorageError, sbiStatuses, timeFromDate } from '@deespec/domain';
import type { Change, DerivedUnit } from '@deespec/domain';

import { make, type Files } from './change-support.js';
import {
  derive,
  DIR,
  ID,
  JOURNAL,
  journal,
  line,
  OTHER_ID,
  pick,
  quarantinedOf,
  state,
  unitAt,
} from './support.js';

const OTHER = `specs/sbi/${OTHER_ID}_beside`;
const other: Files = {
  [`${OTHER}/meta.yml`]: `id: ${OTHER_ID}\ntitle: beside\n`,
  [`${OTHER}/implement_2.md`]: 'beside',
  'setting.json': '{"home": ".",\r\n "unknown": [1.50]}',
};
const trees: readonly Files[] = [
  {
    ...other,
    [`${DIR}/spec.md`]: '',
    [`${DIR}/meta.yml`]: `id: ${ID}\nlabels: [a, b] # c\n`,
    'var/state.json': '{"version":7}',
  },
  {
    ...other,
    [`${DIR}/meta.yaml`]: `priority: 3\n`,
    [JOURNAL]: journal(pick(), line(), line({ turn: 3, step: 'review' })),
  },
  {
    ...other,
    [`${DIR}/state.json`]: state({ labels: ['a'], current: 'review', turn: 3, decision: 'FAILED' }),
    [`${DIR}/review_3.md`]: 'x',
  },
  {
    ...other,
    [`${DIR}/state.json`]: state(),
    [`${DIR}/histories/run_1/plan_1.md`]: 'DECISION: OK',
    [JOURNAL]: journal(pick()),
  },
];

const someText = fc.string({ maxLength: 12, unit: 'binary' });
const fields = fc.record(
  {
    title: someText,
    label: someText,
    priority: fc.integer(),
    status: fc.constantFrom(...sbiStatuses),
    decision: fc.constantFrom(...decisions),
    attempt: fc.nat(9),
  },
  { requiredKeys: [] },
);
const execution = fc.record(
  {
    run: fc.integer({ min: 1, max: 3 }),
    turn: fc.integer({ min: 1, max: 4 }),
    step: fc.constantFrom(...artifactSteps),
    status: fc.constantFrom(...sbiStatuses),
    decision: fc.constantFrom(...decisions),
    content: fc
      .uint8Array({ maxLength: 20, minLength: 1 })
      .filter((bytes) => bytes.some((byte) => byte !== 0)),
    error: someText,
    elapsedMs: fc.nat(),
  },
  { requiredKeys: ['run', 'turn', 'step', 'status', 'decision'] },
);
const lease = '2027-01-01T00:00:00Z';
const change: fc.Arbitrary<Change> = fc.oneof(
  fields.map((value): Change => ({ kind: 'update-sbi', id: ID, fields: value })),
  execution.map((value): Change => ({ kind: 'append-execution', execution: { sbiId: ID, ...value } })),
  fc.constantFrom<Change>(
    { kind: 'claim-sbi', id: ID, leaseExpiresAt: lease },
    { kind: 'renew-lease', id: ID, leaseExpiresAt: lease },
    { kind: 'release-sbi', id: ID, status: 'READY' },
  ),
  fc.tuple(someText, fc.json()).map(([key, valueJson]): Change => {
    return { kind: 'set-config', key: `setting.${key}`, valueJson };
  }),
);

const honest = ['LAYOUT.CANNOT_EXPRESS', 'EXECUTION.EXISTS', 'LEASE.HELD', 'LEASE.NOT_HELD', 'USAGE.INVALID'];

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
      fc.array(change, { minLength: 1, maxLength: 8 }),
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
          const edited = new Set<string>(made.edits.map(({ path }) => path));
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
