import { decisions, sbiStatuses, type ShapeKind } from '@deespec/domain';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { fileShapes } from '../src/file-shapes.js';
import { checks } from '../src/index.js';
import { validate } from '../src/shape.js';

const examples: Readonly<Record<ShapeKind, object>> = {
  state: {
    version: 3,
    id: 'SBI-01M810CC01J2AAPQZVYRK1YMJR',
    task_id: 'T-1',
    title: 'a title',
    label: 'a',
    labels: ['a', 'b'],
    priority: -2,
    status: 'REVIEW&WIP',
    current: 'review',
    turn: 3,
    attempt: 1,
    decision: 'NEEDS_CHANGES',
    lease_expires_at: '',
    created_at: '2026-01-02T03:04:05.123456789+09:00',
    updated_at: '2026-01-02T03:04:05Z',
    completed_at: '2026-01-02T03:04:05Z',
    inputs: { todo: 'x' },
    last_artifacts: {},
    meta: { any: null },
  },
  meta: {
    id: 'x',
    title: 'x',
    labels: [],
    created_at: 'x',
    updated_at: 'x',
    priority: 1,
    por: 2,
    depends_on: ['SBI-1'],
    phase: 'p',
    role: 'r',
  },
  setting: { storage_mode: 'no such mode', anything: null },
  workflow: { name: 'w', steps: [null] },
  'go-state': {
    version: 61,
    current: 'implement',
    status: 'WIP',
    turn: 0,
    wip: '',
    lease_expires_at: '',
    inputs: {},
    last_artifacts: { done: 'x' },
    decision: 'FORCE_TERMINATED',
    attempt: 1,
    meta: { updated_at: 'x' },
  },
  'journal-line': {
    ts: 'x',
    turn: 1,
    step: 'plan',
    decision: 'OK',
    elapsed_ms: 0,
    error: '',
    artifacts: ['a', { type: 'pick' }],
    status: 'WIP',
    attempt: 1,
  },
  'tx-manifest': {
    id: 'x',
    description: '',
    files: [{ type: 'create', destination: 'x', checksum: 'x', size: 0, mode: 420 }],
    created_at: 'x',
    meta: { user: 'u', session_id: 's' },
  },
  'tx-commit': { txn_id: 'x', committed_at: 'x', committed_files: ['x'], success: true },
};
const kinds = Object.keys(examples) as ShapeKind[];

describe('shape', () => {
  test.each(kinds)('accepts every known key of %s, each key alone and unknown keys', (kind) => {
    const required: Record<string, object> = {
      state: { status: 'WIP' },
      'journal-line': { ts: '' },
    };
    const least = required[kind] ?? {};

    expect(checks.shape(kind, { ...examples[kind], Unknown: [null], constructor: 1 })).toEqual([]);
    for (const [key, value] of Object.entries(examples[kind])) {
      expect(checks.shape(kind, { ...least, [key]: value })).toEqual([]);
    }
  });

  test.each(kinds)('refuses null for every known key of %s', (kind) => {
    for (const key of Object.keys(new fileShapes[kind].model())) {
      expect(checks.shape(kind, { ...examples[kind], [key]: null })).toMatchObject([
        { property: key, actual: 'null' },
      ]);
    }
  });

  test.each(kinds)('refuses what is no object as %s', (kind) => {
    for (const value of [null, [], 'x', 3, undefined]) {
      expect(checks.shape(kind, value)).toMatchObject([{ property: '', expected: 'an object' }]);
    }
  });

  test.each([
    ['state', 'turn', '3'],
    ['state', 'turn', 3.5],
    ['state', 'turn', -1],
    ['state', 'version', 2 ** 53],
    ['state', 'status', 'ready'],
    ['state', 'status', undefined],
    ['state', 'decision', 'DONE'],
    ['state', 'labels', 'a'],
    ['state', 'labels', ['a', 1]],
    ['state', 'inputs', []],
    ['meta', 'labels', 'a'],
    ['meta', 'title', 7],
    ['setting', 'storage_mode', 1],
    ['go-state', 'status', 'BUSY'],
    ['go-state', 'decision', ''],
    ['journal-line', 'turn', -1],
    ['journal-line', 'turn', 1.5],
    ['journal-line', 'ts', undefined],
    ['journal-line', 'step', 5],
    ['journal-line', 'artifacts', ['a', 1]],
    ['journal-line', 'artifacts', ['a', ['b']]],
    ['journal-line', 'status', 'wip'],
    ['tx-commit', 'success', 'true'],
    ['tx-commit', 'committed_files', [1]],
  ] as const)('names the property when %s.%s is %j', (kind, property, value) => {
    const problems = checks.shape(kind, { ...examples[kind], [property]: value });

    expect(problems.map((problem) => problem.property)).toEqual([property]);
  });

  test('names nested properties by their dotted path', () => {
    const manifest = { files: [{ size: 1 }, { size: -1 }, 'x'], meta: { user: 1 } };

    const properties = checks.shape('tx-manifest', manifest).map((problem) => problem.property);

    expect(properties).toEqual(expect.arrayContaining(['files.1.size', 'files.2', 'meta.user']));
    expect(checks.shape('go-state', { meta: { updated_at: 1 } })).toMatchObject([
      { property: 'meta.updated_at' },
    ]);
  });

  test('says what it expected and found, without a whole file', () => {
    const [problem] = checks.shape('state', { status: 'x'.repeat(5_000_000) });

    expect(problem).toMatchObject({ expected: `one of ${sbiStatuses.join(', ')}` });
    expect(problem!.actual.length).toBeLessThanOrEqual(200);
  });

  test('looks at own keys only and takes no prototype from the data', () => {
    const hostile: unknown = JSON.parse(
      '{"status":"WIP","__proto__":{"turn":"3"},"constructor":{"prototype":{"p":1}}}',
    );

    expect(checks.shape('state', hostile)).toEqual([]);
    expect(checks.shape('state', Object.create({ status: 'WIP' }))).toMatchObject([{ property: 'status' }]);
    expect(({} as Record<string, unknown>)['p']).toBeUndefined();
  });

  test('tells every two values apart that class-validator tells apart, one key at a time', () => {
    const texts = [...sbiStatuses, ...decisions, '', 'x', 'x'.repeat(40)];
    const elements = [[], ['a'], [{}], [null], [1], [true], [['a']], [undefined], ['a', {}], ['a', {}, null]];
    const numbers = [0, -0, 1, 2, -1, 0.5, -0.5, 2 ** 53 - 1, 2 ** 53, NaN, Infinity];
    const values = [...texts, ...elements, ...numbers, {}, new Date(0), null, undefined, true, false];

    for (const key of Object.keys(examples['journal-line'])) {
      for (const value of [...values, ...values.reverse()]) {
        const line = { ...examples['journal-line'], [key]: value };
        expect(checks.shape('journal-line', line)).toEqual(validate(fileShapes['journal-line'], line));
      }
    }
  });

  test('answers from memory exactly as class-validator does', () => {
    const odd = fc.oneof(
      fc.constantFrom(
        ...sbiStatuses,
        ...decisions,
        null,
        undefined,
        true,
        '',
        -0,
        0,
        1,
        -1,
        0.5,
        2 ** 53,
        NaN,
      ),
      fc.string(),
      fc.double(),
      fc.array(fc.oneof(fc.string(), fc.constantFrom(null, 1, true, [], {}, undefined))),
      fc.dictionary(fc.string(), fc.integer()),
    );
    const sound = examples['journal-line'];
    const line = fc
      .tuple(fc.dictionary(fc.constantFrom(...Object.keys(sound)), odd), fc.boolean())
      .map(([values, onSound]) => (onSound ? { ...sound, ...values } : values));

    fc.assert(
      fc.property(line, (value) => {
        const plain = validate(fileShapes['journal-line'], value);

        expect(checks.shape('journal-line', value)).toEqual(plain);
        expect(checks.shape('journal-line', value)).toEqual(plain);
      }),
      { numRuns: 5_000 },
    );
  });
});
