import fc from 'fast-check';

import { artifactSteps, decisions, sbiStatuses } from '@deespec/domain';
import type { Change } from '@deespec/domain';

import type { Files } from './change-support.js';
import { DIR, ID, JOURNAL, journal, line, OTHER_ID, pick, state } from './support.js';

/** Directory of an SBI that no change is about. */
export const OTHER = `specs/sbi/${OTHER_ID}_beside`;
const other: Files = {
  [`${OTHER}/meta.yml`]: `id: ${OTHER_ID}\ntitle: beside\n`,
  [`${OTHER}/implement_2.md`]: 'beside',
  'setting.json': '{"home": ".",\r\n "unknown": [1.50]}',
};
/** Trees of both layouts, with {@link ID} in several states. */
export const trees: readonly Files[] = [
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
/** A change of {@link ID} or of a setting. */
export const someChange: fc.Arbitrary<Change> = fc.oneof(
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

/** Codes of a change that is refused for a reason. */
export const honest = [
  'LAYOUT.CANNOT_EXPRESS',
  'EXECUTION.EXISTS',
  'LEASE.HELD',
  'LEASE.NOT_HELD',
  'SBI.EXISTS',
  'SBI.NOT_FOUND',
  'USAGE.INVALID',
];
