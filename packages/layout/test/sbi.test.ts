import { describe, expect, test } from '@jest/globals';

import type { DerivedUnit, Sbi } from '@deespec/domain';

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
  ])('has the status of the best source when %s', (...[, lines, goStateText, status, from]) => {
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
  test('is an SBI by its journal lines alone', () => {
    const files = { [DIR]: { directory: true } as const, [JOURNAL]: journal(pick()) };

    expect(sbiOf(files).taskId).toBe('T-1');
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
