import { describe, expect, test } from '@jest/globals';

import type { TreePath } from '@deespec/domain';

import { classifyPath, groupUnits } from '../src/index.js';
import { DIR, ID, OTHER_ID, treeOf } from './support.js';
import type { Content } from './support.js';

const roleOf = (path: string): string => classifyPath(path as TreePath).role;

describe('classifyPath', () => {
  test.each([
    [`${DIR}/spec.md`, 'spec'],
    [`${DIR}_some-slug/spec.md`, 'spec'],
    [`${DIR}/state.json`, 'state'],
    [`${DIR}/meta.yml`, 'meta'],
    [`${DIR}/meta.yaml`, 'meta'],
    [`${DIR}/implement_2.md`, 'artifact'],
    [`${DIR}/plan_1.md`, 'artifact'],
    ['setting.json', 'setting'],
    ['workflow.json', 'workflow'],
    ['etc/workflow.yaml', 'etc-workflow'],
    ['var/journal.ndjson', 'journal'],
    ['var/state.json', 'go-state'],
    ['journal/2026-01-01/tx1/manifest.json', 'manifest'],
    ['journal/2026-01-01/tx1/status.intent', 'intent'],
    ['journal/2026-01-01/tx1/status.commit', 'commit'],
  ])('knows %s as %s', (path, role) => {
    expect(roleOf(path)).toBe(role);
  });

  test.each([
    `${DIR}/sub/spec.md`,
    `${DIR}/implement_02.md`,
    `${DIR}/implement_0.md`,
    `${DIR}/implement_2.MD`,
    `${DIR}/deploy_2.md`,
    `${DIR}/implement_9999999999999999.md`,
    `${DIR}_/spec.md`,
    `${DIR}X/spec.md`,
    'specs/sbi/SBI-INIT-001/spec.md',
    'specs/pbi/spec.md',
    'sub/setting.json',
    'journal/2026-01-01/tx1/stage/manifest.json',
    'journal/yesterday/tx1/manifest.json',
    'constructor',
    '__proto__',
  ])('takes %s for nothing special', (path) => {
    expect(roleOf(path)).toBe('other');
  });

  test('reads step and turn from a name', () => {
    expect(classifyPath(`${DIR}/review_13.md` as TreePath)).toEqual({
      role: 'artifact',
      sbiId: ID,
      step: 'review',
      turn: 13,
    });
  });
});

describe('groupUnits', () => {
  const group = (files: Record<string, Content>): unknown[] =>
    [...groupUnits(treeOf(files).scan())].map(({ kind, path, entries, sbiId, duplicateOf }) => {
      return [kind, path, entries.length, sbiId, duplicateOf];
    });

  test('makes one unit of a directory that is derived together', () => {
    const units = group({
      [`${DIR}/a/b/c.txt`]: 'x',
      [`${DIR}/spec.md`]: 'x',
      'specs/sbi/README.md': 'x',
      'specs/sbi/notes/a.md': 'x',
      'journal/2026-01-01/tx1/stage/a': 'x',
      'var/txn/txn_1/status.intent': 'x',
      'var/state.json': '{}',
    });

    expect(units).toEqual([
      ['entry', 'journal', 1, undefined, undefined],
      ['entry', 'journal/2026-01-01', 1, undefined, undefined],
      ['transaction', 'journal/2026-01-01/tx1', 3, undefined, undefined],
      ['entry', 'specs', 1, undefined, undefined],
      ['entry', 'specs/sbi', 1, undefined, undefined],
      ['entry', 'specs/sbi/README.md', 1, undefined, undefined],
      ['sbi', DIR, 5, ID, undefined],
      ['entry', 'specs/sbi/notes', 2, undefined, undefined],
      ['entry', 'var', 1, undefined, undefined],
      ['entry', 'var/state.json', 1, undefined, undefined],
      ['entry', 'var/txn', 1, undefined, undefined],
      ['entry', 'var/txn/txn_1', 2, undefined, undefined],
    ]);
  });

  test('names the first directory of an id, also past directories that sort between', () => {
    const units = group({
      [`${DIR}/spec.md`]: 'x',
      [`${DIR}.bak/x`]: 'x',
      [`${DIR}_one/spec.md`]: 'x',
      [`${DIR}_two/spec.md`]: 'x',
      [`specs/sbi/${OTHER_ID}_x/spec.md`]: 'x',
    });

    expect(units.slice(2)).toEqual([
      ['sbi', DIR, 2, ID, undefined],
      ['sbi', `${DIR}.bak`, 2, undefined, undefined],
      ['sbi', `${DIR}_one`, 2, ID, DIR],
      ['sbi', `${DIR}_two`, 2, ID, DIR],
      ['sbi', `specs/sbi/${OTHER_ID}_x`, 2, OTHER_ID, undefined],
    ]);
  });

  test.each(['spec.md', 'meta.yml', 'meta.yaml', 'state.json'])(
    'takes a directory with %s for an SBI whatever it is called',
    (name) => {
      const units = group({ [`specs/sbi/item/${name}`]: 'x', [`specs/sbi/other/sub/${name}`]: 'x' });

      expect(units.slice(2)).toEqual([
        ['sbi', 'specs/sbi/item', 2, undefined, undefined],
        ['entry', 'specs/sbi/other', 3, undefined, undefined],
      ]);
    },
  );

  test('does not read ahead of the unit it gives', () => {
    let taken = 0;
    function* counted(): Iterable<ReturnType<typeof entry>> {
      for (const path of ['a', 'b', 'c']) {
        taken += 1;
        yield entry(path);
      }
    }
    const entry = (path: string) => ({ ...[...treeOf({ x: '' }).scan()][0]!, path: path as TreePath });

    const units = groupUnits(counted())[Symbol.iterator]();
    units.next();

    expect(taken).toBe(1);
  });
});
