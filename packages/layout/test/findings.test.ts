import { describe, expect, test } from '@jest/globals';

import { MOST_EVENTS } from '@deespec/domain';

import { layoutRules } from '../src/index.js';
import {
  derive,
  DIR,
  findingsOf,
  ID,
  JOURNAL,
  journal,
  line,
  lines,
  pick,
  quarantinedOf,
  rulesOf,
  state,
  unitAt,
} from './support.js';
import type { Content } from './support.js';

type Files = Record<string, Content>;
const STATE = `${DIR}/state.json`;
const META = `${DIR}/meta.yml`;
const TX = 'journal/2026-01-01/tx1';
const commit = JSON.stringify({ txn_id: 'tx1', committed_at: '2026-01-01T00:00:00Z', success: true });
const manifest = (...destinations: string[]): string =>
  JSON.stringify({ id: 'tx1', files: destinations.map((destination) => ({ type: 'put', destination })) });

const stepFiles = (count: number): Files =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`${DIR}/implement_${at + 1}.md`, 'x']));

/** One damage each: name, files, rule, quarantined paths. */
const damages: readonly (readonly [string, Files, string, readonly string[]])[] = [
  [
    'an id of an old tree',
    { 'specs/sbi/SBI-INIT-001/spec.md': 'x' },
    'sbi-id-format',
    ['specs/sbi/SBI-INIT-001', 'specs/sbi/SBI-INIT-001/spec.md'],
  ],
  [
    'an id with a line feed',
    { 'specs/sbi/SBI-\n/a': 'x' },
    'sbi-id-format',
    ['specs/sbi/SBI-\n', 'specs/sbi/SBI-\n/a'],
  ],
  [
    'a second directory',
    { [`${DIR}/spec.md`]: 'x', [`${DIR}_b/spec.md`]: 'x' },
    'sbi-duplicate-directory',
    [`${DIR}_b`, `${DIR}_b/spec.md`],
  ],
  ['another id inside', { [META]: 'id: SBI-X\n' }, 'sbi-id-mismatch', []],
  ['an empty directory', { [DIR]: { directory: true } }, 'sbi-empty', []],
  [
    'a symlinked spec',
    { [`${DIR}/spec.md`]: { link: '/etc/shadow' }, [META]: 'a: 1' },
    'not-a-regular-file',
    [`${DIR}/spec.md`],
  ],
  ['a directory named state.json', { [`${STATE}/x`]: 'x' }, 'not-a-regular-file', [STATE]],
  [
    'a symlinked step file',
    { [META]: 'a: 1', [`${DIR}/implement_2.md`]: { link: 'x' } },
    'not-a-regular-file',
    [`${DIR}/implement_2.md`],
  ],
  ['a directory named setting.json', { 'setting.json/x': 'x' }, 'not-a-regular-file', ['setting.json']],
  ['a symlinked SBI', { [DIR]: { link: '/elsewhere' } }, 'not-a-directory', [DIR]],
  ['a file named specs', { specs: 'x' }, 'not-a-directory', ['specs']],
  ['a huge state.json', { [STATE]: ' '.repeat(1_048_577) }, 'file-too-large', [STATE]],
  ['a huge setting.json', { 'setting.json': ' '.repeat(262_145) }, 'file-too-large', ['setting.json']],
  ['a zeroed state.json', { [STATE]: Buffer.alloc(9) }, 'zero-filled', [STATE]],
  [
    'a zeroed step file',
    { [META]: 'a: 1', [`${DIR}/implement_2.md`]: Buffer.alloc(200_000) },
    'zero-filled',
    [`${DIR}/implement_2.md`],
  ],
  ['an empty state.json', { [STATE]: '' }, 'json-syntax', [STATE]],
  ['a torn state.json', { [STATE]: '{"status":' }, 'json-syntax', [STATE]],
  ['a list as state.json', { [STATE]: '[]' }, 'json-syntax', [STATE]],
  ['a byte order mark', { [STATE]: `\ufeff${state()}` }, 'json-syntax', [STATE]],
  [
    'deep JSON',
    { 'workflow.json': `{"a":${'['.repeat(99)}${']'.repeat(99)}}` },
    'json-depth',
    ['workflow.json'],
  ],
  ['a key twice', { [STATE]: '{"status":"WIP","status":"DONE"}' }, 'duplicate-key', [STATE]],
  ['a key twice in YAML', { [META]: 'title: a\ntitle: b\n' }, 'duplicate-key', [META]],
  ['a key twice but for case', { [STATE]: '{"status":"WIP","Status":"DONE"}' }, 'case-fold-key', [STATE]],
  ['an empty meta.yml', { [META]: '' }, 'yaml-syntax', [META]],
  ['a list as meta.yml', { [META]: '- a\n' }, 'yaml-syntax', [META]],
  ['a torn meta.yml', { [META]: 'title: "a' }, 'yaml-syntax', [META]],
  ['bytes in meta.yml', { [META]: Buffer.from([0x61, 0x3a, 0xff]) }, 'yaml-syntax', [META]],
  ['an alias', { [META]: 'a: &x 1\nb: *x\n' }, 'yaml-unsafe', [META]],
  [
    'two meta files',
    { [META]: 'a: 1', [`${DIR}/meta.yaml`]: 'a: 2' },
    'meta-ambiguous',
    [`${DIR}/meta.yaml`, META],
  ],
  ['text as a number', { [STATE]: state({ turn: '3' }) }, 'shape', [STATE]],
  ['text as labels', { [META]: 'labels: a\n' }, 'shape', [META]],
  ['an unknown status', { [STATE]: state({ status: 'ready' }) }, 'status-known', [STATE]],
  ['no status', { [STATE]: '{}' }, 'status-known', [STATE]],
  ['an unknown decision', { [STATE]: state({ decision: 'MAYBE' }) }, 'decision-known', [STATE]],
  ['30 February', { [META]: 'created_at: 2025-02-30T00:00:00Z\n' }, 'time-format', [META]],
  ['a huge priority', { [STATE]: '{"status":"WIP","priority":9007199254740993}' }, 'number-range', [STATE]],
  ['NUL in a label', { [STATE]: state({ label: 'a\0' }) }, 'column-text', [STATE]],
  ['half a pair in a label', { [STATE]: '{"status":"WIP","labels":["\\ud800"]}' }, 'column-text', [STATE]],
  ['NUL in a setting', { 'setting.json': '{"a\\u0000":1}' }, 'column-text', ['setting.json']],
  ['garbage in the journal', { [JOURNAL]: 'x\n' }, 'journal-syntax', [JOURNAL]],
  ['a long journal line', { [JOURNAL]: 'x'.repeat(1_048_577) }, 'journal-line-too-long', [JOURNAL]],
  ['a torn journal line', { [JOURNAL]: '{"a' }, 'journal-torn-line', []],
  ['a blank journal line', { [JOURNAL]: '\n' }, 'journal-blank-line', []],
  ['a journal line of nobody', { [JOURNAL]: journal(line({ artifacts: [] })) }, 'journal-no-sbi', []],
  [
    'a journal line of two',
    {
      [JOURNAL]: journal(
        pick({
          artifacts: [
            { type: 'pick', id: ID },
            { type: 'status', id: `SBI-${'0'.repeat(26)}` },
          ],
        }),
      ),
    },
    'journal-several-sbis',
    [],
  ],
  [
    'more lines than count',
    { [`${DIR}/spec.md`]: 'x', [JOURNAL]: journal(pick(), ...lines(MOST_EVENTS)) },
    'journal-many-lines',
    [],
  ],
  ['more step files than count', stepFiles(MOST_EVENTS + 1), 'sbi-many-steps', []],
  [
    'two lines of one turn',
    { [`${DIR}/spec.md`]: 'x', [JOURNAL]: journal(pick(), line(), line()) },
    'duplicate-turn',
    [],
  ],
  [
    'a step file without place',
    {
      [`${DIR}/implement_2.md`]: 'x',
      [JOURNAL]: journal(line({ artifacts: [`.deespec/${DIR}/review_2.md`] })),
    },
    'unplaced-artifact',
    [],
  ],
  [
    'an intent without commit',
    { [`${TX}/manifest.json`]: manifest(), [`${TX}/status.intent`]: '' },
    'unfinished-transaction',
    [],
  ],
  ['a Go transaction without commit', { 'var/txn/txn_1_2/status.intent': '' }, 'unfinished-transaction', []],
  ['a commit without manifest', { [`${TX}/status.commit`]: commit }, 'transaction-no-manifest', []],
  ...['/etc/passwd', '../x', 'a/../../x', 'C:\\x', '\\\\host\\x', 'a\\b'].map(
    (path) =>
      [
        `the destination ${path}`,
        { [`${TX}/manifest.json`]: manifest('ok.md', path), [`${TX}/status.commit`]: commit },
        'path-unsafe',
        [`${TX}/manifest.json`],
      ] as const,
  ),
  [
    'a key in both workflows',
    { 'workflow.json': '{"a":1}', 'etc/workflow.yaml': 'a: 2\n' },
    'config-ambiguous',
    [],
  ],
];

describe('findings', () => {
  test.each(damages)('reports %s', (...[, files, rule, quarantined]) => {
    const units = derive(files);
    const layout = rulesOf(units).filter((found) => layoutRules.some((known) => known.rule === found));

    expect(new Set(layout)).toEqual(new Set([rule]));
    expect(quarantinedOf(units)).toEqual(quarantined);
  });

  test('every rule is in the table and is reported by some damage', () => {
    expect(new Set(damages.map(([, , rule]) => rule))).toEqual(new Set(layoutRules.map(({ rule }) => rule)));
  });

  test('only errors quarantine, and every error does', () => {
    for (const [, files] of damages) {
      const units = derive(files).filter(({ findings }) => findings.length > 0);
      for (const { findings, quarantined } of units) {
        expect(quarantined.size > 0).toBe(findings.some(({ severity }) => severity === 'error'));
      }
    }
  });

  test.each([STATE, META])(
    'an SBI without readable %s has no rows, its other files are kept normally',
    (path) => {
      const files = {
        [path]: '{',
        [`${DIR}/spec.md`]: 'x',
        [`${DIR}/implement_2.md`]: 'x',
        [JOURNAL]: journal(pick()),
      };

      const unit = unitAt(derive(files), DIR);

      expect(unit.sbi).toBeUndefined();
      expect(unit.executions).toEqual([]);
      expect([...unit.quarantined.keys()]).toEqual([path]);
      expect(unit.entries).toHaveLength(4);
    },
  );

  test('a quarantined step file is no content, its line keeps the row', () => {
    const files = {
      [`${DIR}/implement_2.md`]: Buffer.alloc(3),
      [`${DIR}/test_3.md`]: Buffer.alloc(3),
      [JOURNAL]: journal(line()),
    };

    const unit = unitAt(derive(files), DIR);

    expect(unit.executions.map(({ step, contentPath }) => [step, contentPath])).toEqual([
      ['implement', undefined],
    ]);
  });

  test('name the SBI, the path and the fix, and stay short', () => {
    const [finding] = findingsOf(derive({ [STATE]: state({ status: `\u001b[2J${'x'.repeat(10_000)}` }) }));

    expect(finding).toMatchObject({ entity: ID, path: STATE, fix: expect.stringMatching(/READY/u) });
    expect(finding!.actual.length).toBeLessThanOrEqual(200);
    // eslint-disable-next-line no-control-regex
    expect(finding!.actual).not.toMatch(/\u001b/u);
  });

  const longStep = line({ step: '🚀'.repeat(300), artifacts: [`.deespec/${DIR}/spec.md`] });

  test.each<[string, Files]>([
    ['a key', { 'etc/workflow.yaml': `"a\\0\u001b\\ud800${'x'.repeat(300)}": 1\n` }],
    ['a step', { [`${DIR}/spec.md`]: 'x', [JOURNAL]: journal(longStep, longStep) }],
    ['what stands where JSON ends', { 'setting.json': `{"a":1,}${'\\'.repeat(300)}` }],
    ['half a pair at the cut', { [STATE]: state({ status: `x${'🚀'.repeat(300)}` }) }],
  ])('stay short and printable whatever they name: %s', (_, files) => {
    const units = derive(files);
    const texts = units.flatMap((unit) => [
      ...unit.findings.flatMap(({ expected, actual }) => [expected, actual]),
      ...unit.quarantined.values(),
    ]);

    expect(texts.length).toBeGreaterThan(0);
    expect(Math.max(...texts.map((text) => text.length))).toBeLessThanOrEqual(220);
    // eslint-disable-next-line no-control-regex
    expect(texts.filter((text) => /[\u0000-\u001f]|\p{Surrogate}/u.test(text))).toEqual([]);
  });

  test('every wrong field of a file is a finding', () => {
    const text = state({ status: 'x', turn: '3', created_at: 'y' });

    expect(rulesOf(derive({ [STATE]: text }))).toEqual(['status-known', 'time-format', 'shape']);
  });
});

describe('config rows', () => {
  const config = (files: Files): unknown[] =>
    derive(files).flatMap((unit) => unit.config.map(({ key, valueJson }) => [key, valueJson]));

  test('are the top-level keys in the spelling of the file', () => {
    const text = '{"b" : 9007199254740993, "a.b":{"x": 1.0},\n"__proto__":"\\u003c"}';

    expect(config({ 'setting.json': text })).toEqual([
      ['setting.b', '9007199254740993'],
      ['setting.a.b', '{"x": 1.0}'],
      ['setting.__proto__', '"\\u003c"'],
    ]);
  });

  test('come from both workflow files, workflow.json first', () => {
    const files = {
      'workflow.json': '{"a":1}',
      'etc/workflow.yaml': 'a: 2\nsteps:\n  - id: x\n    n: 012\n',
    };

    expect(config(files)).toEqual([
      ['workflow.steps', '[{"id":"x","n":"012"}]'],
      ['workflow.a', '1'],
    ]);
  });

  test('carry the time of their file', () => {
    const [row] = derive({ 'setting.json': '{"a":1}' }, { mtimes: { 'setting.json': 1n } }).flatMap(
      (u) => u.config,
    );

    expect(row!.updatedAt).toBe('1970-01-01T00:00:00.000000001Z');
  });
});

describe('audit rows', () => {
  const audit = (files: Files) => unitAt(derive(files), TX).audit;
  const full = JSON.stringify({
    id: 'tx-1',
    description: 'register SBI',
    files: [{ type: 'put', destination: `specs/sbi/${ID}/spec.md`, size: 3 }],
    created_at: '2026-01-01T00:00:00Z',
    meta: { user: 'ann', session_id: 's1' },
  });

  test('tell of a committed transaction', () => {
    const text = JSON.stringify({
      committed_at: '2026-01-01T09:00:01+09:00',
      committed_files: ['a'],
      success: true,
    });
    const row = audit({
      [`${TX}/manifest.json`]: full,
      [`${TX}/status.intent`]: '',
      [`${TX}/status.commit`]: text,
    });

    expect({ ...row, newValue: JSON.parse(row!.newValue!) as unknown }).toEqual({
      timestamp: '2026-01-01T00:00:01.000000000Z',
      entityType: 'sbi',
      entityId: ID,
      action: 'register SBI',
      newValue: {
        id: 'tx-1',
        files: [{ type: 'put', destination: `specs/sbi/${ID}/spec.md`, size: 3 }],
        success: true,
        committed: ['a'],
      },
      user: 'ann',
      sessionId: 's1',
      source: TX,
    });
  });

  test.each([
    ['.deespec/specs/sbi/SBI-01M810CC093DHZQK57AH103BW2_slug/x', 'sbi', 'SBI-01M810CC093DHZQK57AH103BW2'],
    ['setting.json', 'tree', 'tx1'],
  ])('name whom the destination %s concerns', (destination, entityType, entityId) => {
    const files = { [`${TX}/manifest.json`]: manifest(destination), [`${TX}/status.commit`]: '{}' };

    expect(audit(files)).toMatchObject({ entityType, entityId, action: 'transaction' });
  });

  test('are not made of transactions that are not committed', () => {
    expect(audit({ [`${TX}/manifest.json`]: full, [`${TX}/status.intent`]: '' })).toBeUndefined();
  });
});
