import { describe, expect, test } from '@jest/globals';

import type { Change, NewExecution, SbiId } from '@deespec/domain';

import { apply, filesOf, make, NOW, pathOf, plan, text, type Files } from './change-support.js';
import {
  derive,
  DIR,
  findingsOf,
  ID,
  JOURNAL,
  journal,
  line,
  OTHER_ID,
  pick,
  state,
  unitAt,
} from './support.js';

const META = `id: ${ID}\ntitle: 'Old: title'   # kept\nlabels:\n    - a\ncreated_at: 2026-01-01T00:00:00Z\nupdated_at: 2026-01-01T00:00:00Z\n`;
const STATE = `{\n  "id": "${ID}",\n  "status": "READY", "big": 12345678901234567890,\n  "created_at": "2026-01-01T00:00:00Z"\n}`;

const goTree: Files = { [`${DIR}/spec.md`]: '# Spec\n', [`${DIR}/meta.yml`]: META };
const documentTree: Files = { [`${DIR}/spec.md`]: '# Spec\n', [`${DIR}/state.json`]: STATE };
const trees = [
  ['go', goTree],
  ['document', documentTree],
] as const;

const update = (fields: Extract<Change, { kind: 'update-sbi' }>['fields']): Change => {
  return { kind: 'update-sbi', id: ID, fields };
};
const claim: Change = { kind: 'claim-sbi', id: ID, leaseExpiresAt: '2026-03-01T11:00:00Z' };
const step = (fields: Partial<NewExecution> = {}): Change => {
  const content = Buffer.from('# Done\n');
  const execution = {
    sbiId: ID,
    run: 1,
    turn: 2,
    step: 'implement',
    status: 'WIP',
    decision: 'PENDING',
    content,
  };
  return { kind: 'append-execution', execution: { ...execution, ...fields } as NewExecution };
};
const code = (name: string): object => expect.objectContaining({ code: name });
const rows = (files: Files): unknown[] =>
  unitAt(derive(files), DIR).executions.map(({ run, turn, step, status, decision, contentPath }) => {
    return [run, turn, step, status, decision, contentPath?.slice(DIR.length + 1)];
  });

describe('a new SBI', () => {
  test.each(['go', 'document'] as const)('has its directory, spec and fields (%s)', (layout) => {
    const sbi = {
      id: ID,
      title: 'A: "b" # c',
      spec: Buffer.from([0xff, 0]),
      labels: ['x', 'y'],
      priority: 3,
    };
    const tree: Files = layout === 'go' ? { 'etc/workflow.yaml': 'a: 1\n' } : {};
    const { units, edits } = make(tree, { kind: 'create-sbi', sbi });

    expect(unitAt(units, DIR).sbi).toMatchObject({
      id: ID,
      label: 'x,y',
      priority: 3,
      status: 'READY',
      createdAt: NOW,
      updatedAt: NOW,
      metadata: { title: 'A: "b" # c', layout: layout === 'go' ? 'B' : 'A' },
    });
    expect(findingsOf(units)).toEqual([]);
    const last = layout === 'go' ? 'meta.yml' : 'state.json';
    expect(edits.map((edit) => `${edit.op} ${pathOf(edit)}`)).toEqual([
      'put specs',
      'put specs/sbi',
      `put ${DIR}`,
      `put ${DIR}/spec.md`,
      `put ${DIR}/${last}`,
    ]);
  });

  test('is refused when there is one, and when its label is none that a layout can hold', () => {
    const sbi = { id: ID, title: 't', spec: Buffer.alloc(0) };

    expect(() => plan(goTree, { kind: 'create-sbi', sbi })).toThrow(code('SBI.EXISTS'));
    expect(() => plan({}, { kind: 'create-sbi', sbi: { ...sbi, labels: ['a\0'] } })).toThrow(
      code('LAYOUT.CANNOT_EXPRESS'),
    );
  });
});

describe('fields of an SBI', () => {
  test.each(trees)('change, and every other byte stays (%s)', (layout, tree) => {
    const { files, units } = make(tree, update({ title: 'New', label: 'b,c', priority: 7 }));

    expect(unitAt(units, DIR).sbi).toMatchObject({ label: 'b,c', priority: 7, metadata: { title: 'New' } });
    const name = layout === 'go' ? 'meta.yml' : 'state.json';
    const after = text(files, `${DIR}/${name}`);
    const kept = layout === 'go' ? "title: 'New'   # kept\n" : '"big": 12345678901234567890,\n';
    expect(after).toContain(kept);
    expect({ ...files, [`${DIR}/${name}`]: tree[`${DIR}/${name}`] }).toEqual(tree);
  });

  test.each(trees)('a status is written and read back, with the time it was done (%s)', (_, tree) => {
    const done = make(tree, update({ status: 'DONE', decision: 'SUCCEEDED' }));

    expect(unitAt(done.units, DIR).sbi).toMatchObject({ status: 'DONE', completedAt: NOW });
    expect(findingsOf(done.units).map(({ rule }) => rule)).toEqual(['status-consistency']);
  });

  test('done and taken back: state.json says so, a journal cannot', () => {
    const [done, goDone] = [documentTree, goTree].map((tree) => make(tree, update({ status: 'DONE' })).files);

    const { sbi } = unitAt(make(done!, update({ status: 'READY' })).units, DIR);
    expect(sbi).toMatchObject({ status: 'READY' });
    expect(sbi).not.toHaveProperty('completedAt');
    expect(() => plan(goDone!, update({ status: 'READY' }))).toThrow(code('LAYOUT.CANNOT_EXPRESS'));
  });

  test.each(trees)('none of them: nothing is written (%s)', (_, tree) => {
    expect(plan(tree, update({}))).toEqual([]);
  });

  test('the SBI in work has its status in var/state.json too, and the version counts up', () => {
    const go = `{"version": 41, "wip": "${ID}", "status": "WIP", "turn": 1, "extra": [1, 2]}`;
    const { files, units } = make({ ...goTree, 'var/state.json': go }, update({ status: 'REVIEW' }));

    expect(text(files, 'var/state.json')).toBe(
      `{"version": 42, "wip": "${ID}", "status": "REVIEW", "turn": 1, "extra": [1, 2], "meta": {"updated_at": "2026-03-01T10:00:00.5Z"}}`,
    );
    expect(unitAt(units, DIR).sbi?.status).toBe('REVIEW');

    const decided = make(files, update({ decision: 'FAILED', attempt: 2 }));
    expect(text(decided.files, 'var/state.json')).toContain('"decision": "FAILED", "attempt": 2}');
    expect(unitAt(decided.units, DIR).sbi?.status).toBe('REVIEW');
  });

  test.each([
    ['no SBI has', goTree, { ...update({ priority: 1 }), id: OTHER_ID } as Change, 'SBI.NOT_FOUND'],
    ['have an id that climbs', goTree, { ...update({}), id: '../../x' as SbiId } as Change, 'SBI.INVALID_ID'],
    [
      'stand in a broken file',
      { [`${DIR}/state.json`]: '{"status":' },
      update({ priority: 1 }),
      'LAYOUT.MALFORMED',
    ],
    ['a column cannot hold', documentTree, update({ label: 'a\0b' }), 'LAYOUT.CANNOT_EXPRESS'],
    ['are no whole number', goTree, update({ priority: 0.5 }), 'LAYOUT.CANNOT_EXPRESS'],
  ])('that %s are refused', (...[, tree, change, expected]) => {
    expect(() => plan(tree, change)).toThrow(code(expected));
  });
});

describe('an execution', () => {
  test.each(trees)('has its file, its line, and the state of its SBI last (%s)', (layout, tree) => {
    const { files, units, edits } = make(tree, step({ attempt: 2, elapsedMs: 1500, error: 'e' }));

    const [row] = unitAt(units, DIR).executions;
    expect(row).toMatchObject({ run: 1, turn: 2, step: 'implement', attempt: 2, completedAt: NOW });
    expect(row).toMatchObject({
      metadata: { elapsedMs: 1500, error: 'e' },
      contentPath: `${DIR}/implement_2.md`,
    });
    expect(unitAt(units, DIR).sbi?.status).toBe('WIP');
    expect(findingsOf(units)).toEqual([]);
    expect(text(files, `${DIR}/implement_2.md`)).toBe('# Done\n');
    expect(filesOf(edits)).toEqual([
      `${DIR}/implement_2.md`,
      JOURNAL,
      ...(layout === 'document' ? [`${DIR}/state.json`] : []),
    ]);
  });

  test('the Go tool reads the line: its keys, one object a line, an id of ours', () => {
    const { files } = make(goTree, step(), { lineId: '01ABC' });

    expect(text(files, JOURNAL)).toBe(
      `{"artifacts":[".deespec/${DIR}/implement_2.md"],"attempt":1,"decision":"PENDING","elapsed_ms":0,"error":"","id":"01ABC","status":"WIP","step":"implement","ts":"2026-03-01T10:00:00.5Z","turn":2}\n`,
    );
  });

  test.each(trees)('exists once (%s)', (_, tree) => {
    const once = make(tree, step()).files;

    expect(() => plan(once, step())).toThrow(code('EXECUTION.EXISTS'));
    expect(() => plan({ ...tree, [`${DIR}/implement_2.md`]: 'by hand' }, step())).toThrow(
      code('EXECUTION.EXISTS'),
    );
    expect(() => plan(tree, step({ run: 2 }))).toThrow(code('LAYOUT.CANNOT_EXPRESS'));
    expect(() => plan(tree, step({ step: 'dance' }))).toThrow(code('LAYOUT.CANNOT_EXPRESS'));
    expect(() => plan(tree, step({ error: 'x'.repeat(1_048_576) }))).toThrow(code('LAYOUT.CANNOT_EXPRESS'));
    expect(() => plan(tree, step({ turn: '1/../../x' as never }))).toThrow(code('LAYOUT.CANNOT_EXPRESS'));
    expect(() => plan(tree, step({ content: Buffer.alloc(9) }))).toThrow(code('LAYOUT.CANNOT_EXPRESS'));
  });

  test('what state.json alone says of the step in work is not lost when the next one is appended', () => {
    const tree = {
      [`${DIR}/state.json`]: state({
        status: 'REVIEW',
        current: 'review',
        turn: 3,
        attempt: 2,
        decision: 'NEEDS_CHANGES',
      }),
      [`${DIR}/implement_2.md`]: 'DECISION: SUCCEEDED\n',
      [`${DIR}/review_3.md`]: 'no marker',
    };
    const before = rows(tree);
    const { files } = make(tree, step({ turn: 4 }));

    expect(rows(files).slice(0, 2)).toEqual(before);
    expect(rows(files)).toHaveLength(3);
  });
});

describe('runs', () => {
  test.each(trees)('a claim begins one; files of the earlier run are kept and read back (%s)', (_, tree) => {
    const first = Buffer.from('first run');
    let files = make(tree, claim, { lineId: '1' }).files;
    files = make(files, step({ content: first }), { lineId: '2' }).files;
    files = make(files, { kind: 'release-sbi', id: ID, status: 'READY' }, { lineId: '3' }).files;
    files = make(files, claim, { lineId: '4' }).files;
    expect(rows(files)).toContainEqual([1, 2, 'implement', 'WIP', 'PENDING', 'implement_2.md']);
    const second = make(files, step({ run: 2, decision: 'FAILED' }), { lineId: '5' });

    expect(rows(second.files)).toEqual([
      [1, 1, 'plan', 'WIP', 'PENDING', undefined],
      [1, 2, 'implement', 'WIP', 'PENDING', 'histories/run_1/implement_2.md'],
      [2, 1, 'plan', 'WIP', 'PENDING', undefined],
      [2, 2, 'implement', 'WIP', 'FAILED', 'implement_2.md'],
    ]);
    expect(text(second.files, `${DIR}/histories/run_1/implement_2.md`)).toBe('first run');
    expect(findingsOf(second.units)).toEqual([]);
    const names = filesOf(second.edits).map((path) => path.slice(DIR.length + 1));
    expect(names.slice(0, 2)).toEqual(['histories/run_1/implement_2.md', 'implement_2.md']);
  });

  test('files kept from an earlier run are executions without a journal too', () => {
    const files = {
      [`${DIR}/state.json`]: state({ status: 'WIP', current: 'implement', turn: 2, decision: 'FAILED' }),
      [`${DIR}/histories/run_1/implement_2.md`]: 'DECISION: OK\n',
      [`${DIR}/histories/run_1/other.md`]: 'not a step',
      [`${DIR}/implement_2.md`]: '',
    };

    expect(rows(files)).toEqual([
      [1, 2, 'implement', 'WIP', 'OK', 'histories/run_1/implement_2.md'],
      [2, 2, 'implement', 'WIP', 'FAILED', 'implement_2.md'],
    ]);
  });

  test('a file that the second run overwrote before its line was written belongs to no line of the first', () => {
    const lines = [pick(), line({ turn: 2 }), pick({ ts: '2026-01-02T00:00:00Z' })];
    const files = {
      ...goTree,
      [JOURNAL]: journal(...lines),
      [`${DIR}/histories/run_1/implement_2.md`]: 'first',
      [`${DIR}/implement_2.md`]: 'second',
    };

    expect(rows(files).map((row) => (row as unknown[]).filter((_, i) => i !== 3))).toEqual([
      [1, 1, 'plan', 'PENDING', undefined],
      [1, 2, 'implement', 'PENDING', 'histories/run_1/implement_2.md'],
      [2, 1, 'plan', 'PENDING', undefined],
      [2, 2, 'implement', 'PENDING', 'implement_2.md'],
    ]);
  });
});

describe('leases', () => {
  test.each(trees)('claimed, renewed, released (%s)', (_, tree) => {
    const claimed = make(tree, claim);
    expect(unitAt(claimed.units, DIR).sbi?.status).toBe('WIP');
    expect(unitAt(claimed.units, DIR).executions[0]?.leaseExpiresAt).toBe('2026-03-01T11:00:00.000000000Z');
    expect(() => plan(claimed.files, claim)).toThrow(code('LEASE.HELD'));

    const later = '2026-03-01T12:00:00Z';
    const renewed = make(claimed.files, { kind: 'renew-lease', id: ID, leaseExpiresAt: later });
    expect(unitAt(renewed.units, DIR).executions[0]?.leaseExpiresAt).toContain('T12:00:00');

    const released = make(renewed.files, { kind: 'release-sbi', id: ID, status: 'READY' });
    expect(unitAt(released.units, DIR).sbi?.status).toBe('READY');
    expect(unitAt(released.units, DIR).executions[0]).not.toHaveProperty('leaseExpiresAt');
    expect(() => plan(released.files, { kind: 'renew-lease', id: ID, leaseExpiresAt: later })).toThrow(
      code('LEASE.NOT_HELD'),
    );
    expect(make(released.files, claim).units).toBeDefined();
  });

  test.each(trees)('one that has ended is no hindrance (%s)', (_, tree) => {
    const claimed = make(tree, claim).files;
    const after = NOW.replace('T10', 'T13');
    const again = { ...claim, leaseExpiresAt: '2026-03-01T14:00:00Z' } as Change;

    expect(unitAt(make(claimed, again, { now: after }).units, DIR).executions.map(({ run }) => run)).toEqual([
      1, 2,
    ]);
  });

  test('the Go tool has one SBI in work: another is not claimed beside it', () => {
    const other = {
      ...goTree,
      'var/state.json': `{"version": 1, "wip": "${OTHER_ID}_slug", "status": "WIP"}`,
    };

    expect(() => plan(other, claim)).toThrow(code('LEASE.HELD'));
    expect(() => plan({ ...other, ...documentTree, [`${DIR}/meta.yml`]: '' }, claim)).not.toThrow(
      code('LEASE.HELD'),
    );
  });
});

describe('the end of an SBI', () => {
  test.each(trees)('discards its directory, and leaves no finding (%s)', (_, tree) => {
    const { files, units } = make(tree, { kind: 'delete-sbi', id: ID });

    expect(Object.keys(files).filter((path) => path.startsWith(DIR))).toEqual([]);
    expect(findingsOf(units)).toEqual([]);
  });

  test.each(trees)('is refused while it is in work (%s)', (_, tree) => {
    const claimed = make(tree, claim).files;

    expect(() => plan(claimed, { kind: 'delete-sbi', id: ID })).toThrow(code('LEASE.HELD'));
  });
});

describe('configuration', () => {
  const set = (key: string, valueJson: string): Change => ({ kind: 'set-config', key, valueJson });
  const yaml = 'max_turns: 8 # kept\nagent: x\n';

  test.each([
    [
      'setting.json',
      { 'setting.json': '{"a": 1, "home":  "x"}' },
      set('setting.a', '1e400'),
      '{"a": 1e400, "home":  "x"}',
    ],
    ['setting.json', {}, set('setting.a.b', '[1]'), '{"a.b": [1]\n}\n'],
    [
      'etc/workflow.yaml',
      { 'etc/workflow.yaml': yaml },
      set('workflow.max_turns', '9'),
      'max_turns: 9 # kept\nagent: x\n',
    ],
    [
      'workflow.json',
      { 'workflow.json': '{"max_turns":1}', 'etc/workflow.yaml': yaml },
      set('workflow.max_turns', '9'),
      '{"max_turns":9}',
    ],
    [
      'etc/workflow.yaml',
      { 'workflow.json': '{}', 'etc/workflow.yaml': yaml },
      set('workflow.agent', '"z"'),
      'max_turns: 8 # kept\nagent: z\n',
    ],
  ])('one key of %s changes', (...[path, files, change, expected]) => {
    const edits = plan(files, change);

    expect(text(apply(files, edits), path)).toBe(expected);
    expect(edits.filter(({ op }) => op === 'put')).toHaveLength(1);
  });

  test.each([
    ['the mode', set('setting.storage_mode', '"sqlite"'), {}, 'USAGE.INVALID'],
    ['a key of no file', set('other.key', '1'), {}, 'USAGE.INVALID'],
    ['a key with NUL', set('setting.a\0', '1'), {}, 'USAGE.INVALID'],
    ['a value that is no JSON', set('setting.a', '{'), {}, 'LAYOUT.CANNOT_EXPRESS'],
    [
      'a value that makes the file too large',
      set('setting.a', `"${'x'.repeat(262_144)}"`),
      {},
      'LAYOUT.CANNOT_EXPRESS',
    ],
    ['a torn file', set('setting.a', '1'), { 'setting.json': '{"a": 1' }, 'LAYOUT.MALFORMED'],
    ['a symlink', set('setting.a', '1'), { 'setting.json': { link: '/etc/passwd' } }, 'LAYOUT.MALFORMED'],
    [
      'a file too large to be read',
      set('setting.a', '1'),
      { 'setting.json': ' '.repeat(300_000) },
      'LAYOUT.MALFORMED',
    ],
  ])('%s is refused', (...[, change, files, expected]) => {
    expect(() => plan(files as Files, change)).toThrow(code(expected));
  });
});
