import { describe, expect, test } from '@jest/globals';

import type { DerivedUnit, Execution, Sbi } from '@deespec/domain';

import {
  derive,
  DIR,
  ID,
  JOURNAL,
  journal,
  line,
  MTIME,
  MTIME_NS,
  pick,
  rulesOf,
  state,
  unitAt,
} from './support.js';
import type { Content, TreeOptions } from './support.js';

function deriveOne(files: Record<string, Content>, options: TreeOptions = {}): DerivedUnit {
  return unitAt(derive(files, options), DIR);
}

function sbiOf(files: Record<string, Content>, options: TreeOptions = {}): Sbi {
  const { sbi } = deriveOne(files, options);
  if (sbi === undefined) throw new Error('no SBI row');
  return sbi;
}

const brief = (executions: readonly Execution[]): unknown[] =>
  executions.map(({ run, turn, step, status, decision, attempt, contentPath }) => {
    return [run, turn, step, status, decision, attempt, contentPath?.split('/').at(-1)];
  });

const meta = `id: ${ID}\ntitle: 'A: b'\nlabels:\n    - x\n    - y z\ncreated_at: 2026-01-01T01:00:00.5+01:00\nupdated_at: 2026-01-01T00:00:01Z\n`;
const done = line({ turn: 3, step: 'done', status: 'DONE', decision: 'SUCCEEDED' });

describe('SBI of layout A', () => {
  test('takes its columns from state.json and keeps the rest in metadata', () => {
    const sbi = sbiOf({
      [`${DIR}/spec.md`]: '# x',
      [`${DIR}/state.json`]: state({
        version: 7,
        task_id: 'T-9',
        label: 'a,b',
        priority: 3,
        status: 'DONE',
        updated_at: '2026-01-03T00:00:00+09:00',
        completed_at: '2026-01-02T00:00:00Z',
        inputs: { todo: 'x' },
        extra: [1, { deep: null }],
      }),
    });

    expect(sbi).toEqual({
      id: ID,
      taskId: 'T-9',
      label: 'a,b',
      priority: 3,
      status: 'DONE',
      createdAt: '2026-01-01T00:00:00.000000000Z',
      updatedAt: '2026-01-02T15:00:00.000000000Z',
      completedAt: '2026-01-02T00:00:00.000000000Z',
      metadata: {
        version: 7,
        inputs: { todo: 'x' },
        extra: [1, { deep: null }],
        original: {
          created_at: '2026-01-01T00:00:00Z',
          updated_at: '2026-01-03T00:00:00+09:00',
          completed_at: '2026-01-02T00:00:00Z',
        },
        derived: {
          task_id: 'state',
          status: 'state',
          priority: 'state',
          label: 'state',
          created_at: 'state',
          updated_at: 'state',
          completed_at: 'state',
        },
        layout: 'A',
      },
    });
  });

  test('derives what a bare state.json does not say', () => {
    const newest = MTIME_NS + 1_000_000_000n;
    const files = { [`${DIR}/state.json`]: '{"status":"WIP"}', [`${DIR}/notes.md`]: 'x' };

    const sbi = sbiOf(files, { mtimes: { [`${DIR}/notes.md`]: newest } });

    expect(sbi).toMatchObject({ taskId: ID, priority: 0, status: 'WIP' });
    expect(sbi).not.toHaveProperty('label');
    expect(sbi).not.toHaveProperty('completedAt');
    expect(sbi.createdAt).toBe('2026-11-22T06:51:29.665000000Z');
    expect(sbi.updatedAt).toBe('2026-01-02T03:04:06.000000006Z');
    expect(sbi.metadata['derived']).toMatchObject({
      created_at: 'id',
      updated_at: 'file-time',
      task_id: 'id',
    });
  });

  test('takes the oldest file time where the id holds no time', () => {
    const dir = 'specs/sbi/SBI-ILOUILOUILOUILOUILOUILOUIL';
    const files = { [`${dir}/spec.md`]: 'x', [`${dir}/b`]: 'x' };

    const unit = unitAt(derive(files, { mtimes: { [`${dir}/b`]: 1_000_000_000n } }), dir);

    expect(unit.sbi).toMatchObject({ createdAt: '1970-01-01T00:00:01.000000000Z', updatedAt: MTIME });
  });

  test('survives file times outside of four-digit years', () => {
    const files = { [`${DIR}/state.json`]: '{"status":"WIP"}' };
    const mtimes = { [`${DIR}/state.json`]: 10n ** 30n };

    expect(sbiOf(files, { mtimes }).updatedAt).toBe('9999-12-31T23:59:59.999999999Z');
  });

  test('takes zero and empty times for unset', () => {
    const text = state({ created_at: '0001-01-01T00:00:00Z', completed_at: '', updated_at: null });

    expect(sbiOf({ [`${DIR}/state.json`]: text }).metadata['derived']).toMatchObject({ created_at: 'id' });
  });

  test('keeps hostile keys and numbers without harm', () => {
    const text = '{"status":"WIP","__proto__":{"x":1},"big":9007199254740993,"layout":"wide","original":1}';

    const { metadata } = sbiOf({ [`${DIR}/state.json`]: text });

    expect(Object.keys(metadata)).toContain('__proto__');
    expect(Object.entries(metadata)).toContainEqual(['__proto__', { x: 1 }]);
    expect(metadata).toMatchObject({
      big: '9007199254740993',
      layout: 'A',
      file: { layout: 'wide', original: 1 },
    });
    expect(({} as { x?: unknown }).x).toBeUndefined();
  });

  test('has one execution for each step file, decided by state.json or the text', () => {
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

describe('SBI of layout B', () => {
  test('takes its columns from meta.yml', () => {
    expect(sbiOf({ [`${DIR}/meta.yml`]: `${meta}priority: 4\npor: 2\ndepends_on: []\n` })).toEqual({
      id: ID,
      taskId: ID,
      label: 'x,y z',
      priority: 4,
      status: 'READY',
      createdAt: '2026-01-01T00:00:00.500000000Z',
      updatedAt: '2026-01-01T00:00:01.000000000Z',
      metadata: {
        title: 'A: b',
        labels: ['x', 'y z'],
        por: 2,
        depends_on: [],
        original: { created_at: '2026-01-01T01:00:00.5+01:00', updated_at: '2026-01-01T00:00:01Z' },
        derived: {
          task_id: 'id',
          status: 'default',
          priority: 'meta',
          label: 'meta',
          created_at: 'meta',
          updated_at: 'meta',
        },
        layout: 'B',
      },
    });
  });

  test('reads text fields as text however YAML types them', () => {
    expect(sbiOf({ [`${DIR}/meta.yaml`]: 'title: 012\nlabels: [1.10, no, 2026-01-01]\n' })).toMatchObject({
      label: '1.10,no,2026-01-01',
      metadata: { title: '012' },
    });
  });

  const goState = (fields: object): string => JSON.stringify({ wip: ID, status: 'REVIEW', ...fields });
  test.each([
    ['the journal says DONE', [pick(), done], goState({}), 'DONE', 'journal'],
    ['the state file says so', [pick(), line()], goState({}), 'REVIEW', 'go-state'],
    ['the state file has another in work', [pick(), line()], goState({ wip: '' }), 'WIP', 'journal'],
    ['there is no state file', [pick(), line({ status: 'REVIEW&WIP' })], undefined, 'REVIEW&WIP', 'journal'],
    ['it was picked again after DONE', [pick(), done, pick()], undefined, 'READY', 'default'],
    ['it was picked again and is in work', [pick(), done, pick(), line()], undefined, 'WIP', 'journal'],
    ['nothing is known', [], undefined, 'READY', 'default'],
  ])('has the status of the best source when %s', (_name, lines, goStateText, status, from) => {
    const sbi = sbiOf({
      [`${DIR}/spec.md`]: 'x',
      [JOURNAL]: journal(...lines),
      ...(goStateText === undefined ? {} : { 'var/state.json': goStateText }),
    });

    expect(sbi.status).toBe(status);
    expect(sbi.metadata['derived']).toMatchObject({ status: from });
  });

  test('was completed when its DONE line says, and has the task of its pick', () => {
    const files = { [`${DIR}/spec.md`]: 'x', [JOURNAL]: journal(pick(), line(), done) };

    expect(sbiOf(files)).toMatchObject({ completedAt: '2026-01-01T00:00:03.000000000Z', taskId: 'T-1' });
  });

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

  test('is an SBI by its journal lines alone', () => {
    const files = { [DIR]: { directory: true } as const, [JOURNAL]: journal(pick()) };

    expect(sbiOf(files).taskId).toBe('T-1');
  });

  test('finds the files of a directory with a slug', () => {
    const dir = `${DIR}_my-task`;
    const unit = unitAt(derive({ [`${dir}/implement_2.md`]: 'x', [JOURNAL]: journal(line()) }), dir);

    expect(unit.executions).toMatchObject([{ contentPath: `${dir}/implement_2.md`, metadata: { line: 1 } }]);
  });
});

describe('SBI with the files of both layouts', () => {
  test('believes state.json first and meta.yml second', () => {
    const sbi = sbiOf({
      [`${DIR}/state.json`]: '{"status":"WIP","title":"from state"}',
      [`${DIR}/meta.yml`]: `${meta}priority: 4\nextra: 1\n`,
      [JOURNAL]: journal(pick(), done),
    });

    expect(sbi).toMatchObject({
      status: 'WIP',
      taskId: 'T-1',
      label: 'x,y z',
      priority: 4,
      createdAt: '2026-01-01T00:00:00.500000000Z',
      metadata: {
        title: 'from state',
        extra: 1,
        layout: 'A',
        derived: { status: 'state', created_at: 'meta' },
      },
    });
    expect(sbi).not.toHaveProperty('completedAt');
  });

  test('reads two equal meta files as one', () => {
    const units = derive({ [`${DIR}/meta.yml`]: meta, [`${DIR}/meta.yaml`]: meta });

    expect(rulesOf(units)).toEqual([]);
    expect(unitAt(units, DIR).sbi?.label).toBe('x,y z');
  });

  test('reports what the rules on rows find', () => {
    const units = derive({ [`${DIR}/state.json`]: state({ status: 'DONE' }) });

    expect(rulesOf(units)).toEqual(['status-consistency']);
  });
});
