import { describe, expect, test } from '@jest/globals';

import { MOST_EVENTS } from '@deespec/domain';
import type { DerivedUnit, Execution } from '@deespec/domain';

import { derive, DIR, ID, JOURNAL, journal, line, lines, pick, state, unitAt } from './support.js';
import type { Content, TreeOptions } from './support.js';

function deriveOne(files: Record<string, Content>, options: TreeOptions = {}): DerivedUnit {
  return unitAt(derive(files, options), DIR);
}

const brief = (executions: readonly Execution[]): unknown[] =>
  executions.map(({ run, turn, step, status, decision, attempt, contentPath }) => {
    return [run, turn, step, status, decision, attempt, contentPath?.split('/').at(-1)];
  });

const goState = (fields: object): string => JSON.stringify({ wip: ID, status: 'REVIEW', ...fields });

describe('executions of layout A', () => {
  test('are the step files, decided by state.json or the text', () => {
    const unit = deriveOne(
      {
        [`${DIR}/state.json`]: state({
          status: 'REVIEW',
          current: 'review',
          turn: 3,
          attempt: 2,
          decision: 'NEEDS_CHANGES',
          lease_expires_at: '2026-02-01T00:00:00Z',
        }),
        [`${DIR}/plan_1.md`]: 'DECISION: nonsense',
        [`${DIR}/implement_2.md`]: 'x\n**decision: failed**\r\nDECISION: succeeded\r\nend',
        [`${DIR}/review_3.md`]: 'DECISION: OK',
        [`${DIR}/test_3.md`]: '',
        [`${DIR}/done_10.md`]: 'DECISION: OK\n',
        [`${DIR}/done_9.md`]: 'DECISION: FAILED\n',
      },
      { mtimes: { [`${DIR}/plan_1.md`]: 1_000_000_000n } },
    );

    expect(brief(unit.executions)).toEqual([
      [1, 1, 'plan', 'WIP', 'PENDING', 1, 'plan_1.md'],
      [1, 2, 'implement', 'WIP', 'SUCCEEDED', 1, 'implement_2.md'],
      [1, 3, 'review', 'REVIEW', 'NEEDS_CHANGES', 2, 'review_3.md'],
      [1, 3, 'test', 'WIP', 'PENDING', 1, 'test_3.md'],
      [1, 9, 'done', 'REVIEW&WIP', 'FAILED', 1, 'done_9.md'],
      [1, 10, 'done', 'DONE', 'OK', 1, 'done_10.md'],
    ]);
    expect(unit.executions.map(({ leaseExpiresAt }) => leaseExpiresAt)).toEqual([
      undefined,
      undefined,
      '2026-02-01T00:00:00.000000000Z',
      undefined,
      undefined,
      undefined,
    ]);
    expect(unit.executions[0]).toMatchObject({
      startedAt: '1970-01-01T00:00:01.000000000Z',
      completedAt: '1970-01-01T00:00:01.000000000Z',
      metadata: { derived: { decision: 'default', startedAt: 'file-time', content: 'name' } },
    });
    expect(unit.executions[2]!.metadata).toMatchObject({ derived: { decision: 'state', attempt: 'state' } });
  });
});

describe('executions of layout B', () => {
  test('gives a file to the last line that names it', () => {
    const files = {
      [`${DIR}/implement_2.md`]: 'DECISION: SUCCEEDED',
      [JOURNAL]: journal(
        pick(),
        line({ decision: 'FAILED' }),
        line({ turn: 3 }),
        pick(),
        line({ attempt: 5 }),
      ),
    };

    const { executions } = deriveOne(files);

    expect(brief(executions)).toEqual([
      [1, 1, 'plan', 'READY', 'PENDING', 1, undefined],
      [1, 2, 'implement', 'WIP', 'FAILED', 1, undefined],
      [1, 3, 'implement', 'WIP', 'PENDING', 1, undefined],
      [2, 1, 'plan', 'READY', 'PENDING', 1, undefined],
      [2, 2, 'implement', 'WIP', 'PENDING', 5, 'implement_2.md'],
    ]);
    expect(executions[4]).toMatchObject({
      startedAt: '2026-01-01T00:00:01.500000000Z',
      completedAt: '2026-01-01T00:00:02.000000000Z',
      metadata: { line: 5, elapsedMs: 500, derived: { content: 'journal' } },
    });
  });

  test('gives a file that no line names to the last line with its step and turn', () => {
    const nameless = line({
      artifacts: [{ type: 'impl_note_rollup', path: `.deespec/${DIR}/impl_notes.md` }],
    });
    const files = {
      [`${DIR}/implement_2.md`]: 'x',
      [JOURNAL]: journal(pick(), nameless, pick(), nameless, pick()),
    };

    const { executions } = deriveOne(files);

    expect(executions.map(({ run, turn, contentPath }) => [run, turn, contentPath !== undefined])).toEqual([
      [1, 1, false],
      [1, 2, false],
      [2, 1, false],
      [2, 2, true],
      [3, 1, false],
    ]);
    expect(executions[3]!.metadata).toMatchObject({ derived: { content: 'name' } });
  });

  test('puts a file that no line knows into the last run', () => {
    const files = {
      [`${DIR}/review_3.md`]: '**DECISION:** NEEDS_CHANGES',
      [JOURNAL]: journal(pick(), line(), pick()),
    };

    expect(brief(deriveOne(files).executions).at(-1)).toEqual([
      ...[2, 3, 'review', 'REVIEW', 'NEEDS_CHANGES', 1],
      'review_3.md',
    ]);
  });

  test('keeps the earlier of two lines with one key in the row of the later', () => {
    const files = {
      [JOURNAL]: journal(pick(), line({ error: 'first' }), line({ attempt: 2 })),
      [`${DIR}/spec.md`]: '',
    };

    const unit = deriveOne(files);

    expect(brief(unit.executions)).toHaveLength(2);
    expect(unit.executions[1]).toMatchObject({
      attempt: 2,
      metadata: {
        line: 3,
        earlier: [{ line: 2, error: 'first', attempt: 1, status: 'WIP', artifact: 'implement_2.md' }],
      },
    });
    expect(unit.findings).toMatchObject([
      {
        rule: 'duplicate-turn',
        severity: 'warning',
        entity: ID,
        path: JOURNAL,
        line: 3,
        actual: '2 lines: 2, 3',
      },
    ]);
  });

  test('warns of a file whose place is taken', () => {
    const files = {
      [`${DIR}/implement_2.md`]: 'x',
      [`${DIR}/implement_3.md`]: 'x',
      [JOURNAL]: journal(pick(), line({ artifacts: [`.deespec/${DIR}/implement_3.md`] })),
    };

    const unit = deriveOne(files);

    expect(brief(unit.executions).at(-1)).toEqual([1, 2, 'implement', 'WIP', 'PENDING', 1, 'implement_3.md']);
    expect(unit.findings).toMatchObject([{ rule: 'unplaced-artifact', path: `${DIR}/implement_2.md` }]);
  });

  test('puts the lease of the state file on the step in work of the last run', () => {
    const files = {
      [`${DIR}/spec.md`]: '',
      [JOURNAL]: journal(pick(), line(), pick(), line()),
      'var/state.json': goState({
        current: 'implement',
        turn: 2,
        lease_expires_at: '2026-01-01T09:00:00+09:00',
      }),
    };

    expect(deriveOne(files).executions.map(({ leaseExpiresAt }) => leaseExpiresAt)).toEqual([
      undefined,
      undefined,
      undefined,
      '2026-01-01T00:00:00.000000000Z',
    ]);
  });

  test('are those of the last lines, when there are very many', () => {
    const status = { status: 'DONE', decision: 'SUCCEEDED' };
    const files = {
      [`${DIR}/implement_2.md`]: 'x',
      [`${DIR}/implement_3.md`]: 'x',
      [JOURNAL]: journal(pick(), pick(), ...lines(MOST_EVENTS), line({ ...status, turn: 1, step: 'done' })),
    };

    const { executions, sbi, findings } = deriveOne(files);

    expect(brief(executions.slice(0, 3))).toEqual([
      [2, 1, 'done', 'DONE', 'SUCCEEDED', 1, undefined],
      [2, 2, 'implement', 'WIP', 'PENDING', 1, 'implement_2.md'],
      [2, 3, 'implement', 'WIP', 'PENDING', 1, 'implement_3.md'],
    ]);
    expect(executions.at(-1)).toMatchObject({ turn: MOST_EVENTS + 1 });
    expect(sbi?.status).toBe('DONE');
    expect(findings.map(({ rule, actual }) => [rule, actual])).toEqual([
      ['journal-many-lines', '10003 lines, of which the last 10000 count'],
    ]);
  });

  test('are those of the step files of the last turns, when there are very many', () => {
    const turns = Array.from({ length: MOST_EVENTS + 2 }, (_, at) => at + 1);
    const files = Object.fromEntries(turns.map((turn) => [`${DIR}/implement_${turn}.md`, 'x']));
    const earlier = { [`${DIR}/histories/run_1/implement_99999.md`]: 'x' };

    const unit = deriveOne({ ...files, ...earlier, [`${DIR}/spec.md`]: 'x' });

    expect(unit.executions.map(({ turn }) => turn)).toEqual(turns.slice(2));
    expect(unit.entries).toHaveLength(turns.length + 5);
    expect(unit.quarantined.size).toBe(0);
  });

  test('finds the files of a directory with a slug', () => {
    const dir = `${DIR}_my-task`;
    const unit = unitAt(derive({ [`${dir}/implement_2.md`]: 'x', [JOURNAL]: journal(line()) }), dir);

    expect(unit.executions).toMatchObject([{ contentPath: `${dir}/implement_2.md`, metadata: { line: 1 } }]);
  });
});
