import {
  isStorageError,
  pathFromText,
  type AuditNote,
  type EditResult,
  type TreeEdit,
} from '@deespec/domain';
import { isChained } from '@deespec/layout';
import { describe, expect, test } from '@jest/globals';

import { rmSync } from 'node:fs';

import { openFileStorage, type FileSystem } from '../src/index.js';
import {
  append,
  contentsOf,
  discard,
  makeDirectory,
  note,
  ownNames,
  plant,
  put,
  quickSystem,
  removal,
  systemFailing,
  temporary,
} from './support.js';

interface Scenario {
  readonly edits: readonly TreeEdit[];
  readonly audit?: readonly AuditNote[];
  readonly owes?: boolean;
}

const all: readonly TreeEdit[] = [
  makeDirectory('new'),
  put('new/f', 'one'),
  put('d/f', 'new', 'old'),
  put('d/f', 'newer', 'new'),
  {
    op: 'put',
    version: { path: pathFromText('d/l'), kind: 'symlink', mode: 0o777, bytes: Buffer.from('f') },
    expected: undefined,
  },
  append('var/journal.ndjson', '{"ours":1}'),
  removal('d/gone', 'gone'),
  { op: 'remove', path: pathFromText('empty'), expected: '' },
  discard('old'),
  put('z', 'last'),
];

const scenarios: readonly [string, Scenario][] = [
  ['everything, with a record and a debt', { edits: all, audit: [note('b')], owes: true }],
  ['several files', { edits: [put('d/f', 'new', 'old'), put('z', 'x'), makeDirectory('new')] }],
  [
    'a discarded directory that is made again',
    { edits: [discard('old'), makeDirectory('old'), put('old/new', 'x')] },
  ],
  ['a new journal', { edits: [put('z', 'x'), append('var/new.ndjson', '{"ours":1}')] }],
  ['one file that is replaced', { edits: [put('d/f', 'new', 'old')] }],
  ['one new file, with a debt', { edits: [put('z', 'new')], owes: true }],
  ['one file that is removed', { edits: [removal('d/gone', 'gone')] }],
  ['a record alone', { edits: [], audit: [note('b')] }],
];

/** A tree with a history: one record, one edit. */
async function prepared(): Promise<string> {
  const home = temporary().directory;
  plant(home, {
    'd/f': 'old',
    'd/gone': 'gone',
    'empty/': '',
    'old/deep/f': 'x',
    'var/journal.ndjson': '{"theirs":1}\n{"torn',
  });
  const { store } = openFileStorage({ home, system: quickSystem });
  await store.edit(() => ({ edits: [put('first', 'x')], audit: [note('a')] }));
  return home;
}

/** Tries the edit on a failing disk, then looks at what a new process makes of it. */
async function sweepOnce(scenario: Scenario, { system }: { system: FileSystem }): Promise<Outcome> {
  const home = await prepared();
  try {
    const before = contentsOf(openFileStorage({ home, system: quickSystem }).store);
    const owes = scenario.owes ?? false;
    const dying = openFileStorage({ home, system, owes }).store;
    const edit = (): Promise<EditResult> => dying.edit(() => scenario);
    const result = await edit().catch((error: unknown) => error);
    const ignored: string[] = [];
    const { store } = openFileStorage({
      home,
      owes,
      system: quickSystem,
      onIgnored: ({ path }) => ignored.push(path),
    });

    await store.recover();

    const after = contentsOf(store);
    const records = [...store.auditSince(0)];
    const debts = store.fileDebts().map((id) => store.fileDebt(id)!);
    const rescued = store.settleReplaced(0);
    const outcome = {
      result,
      made: JSON.stringify(after) !== JSON.stringify(before) || records.length > 1,
      after,
      before,
      actions: records.map(({ action }) => action),
      chained: records.every((record, at) => isChained(record, records[at - 1])),
      debts,
      residue: [
        ...ignored,
        ...rescued,
        ...ownNames(home, 'dirty').filter((name) => !name.endsWith('.debt')),
        ...ownNames(home, 'conflicts/replaced'),
      ],
    };
    await store.edit(() => ({
      edits: [put('next', 'x'), append('var/journal.ndjson', 'next')],
      audit: [note('c')],
    }));
    expect([...store.auditSince(0)].at(-1)?.action).toBe('c');
    return outcome;
  } finally {
    rmSync(home, { recursive: true });
  }
}

interface Outcome {
  readonly result: unknown;
  readonly made: boolean;
  readonly before: Record<string, string>;
  readonly after: Record<string, string>;
  readonly actions: readonly string[];
  readonly chained: boolean;
  readonly debts: readonly unknown[];
  readonly residue: readonly unknown[];
}

describe('an edit on a failing disk', () => {
  test.each(scenarios)(
    'is made wholly or not at all: %s',
    async (_, scenario) => {
      const whole = await sweepOnce(scenario, { system: quickSystem });
      expect(whole.made).toBe(true);
      const disks = [
        ['EIO', 'is dead'],
        ['ENOSPC', 'works on'],
      ] as const;
      for (const [code, then] of disks) {
        for (let at = 1; ; at += 1) {
          const failing = systemFailing(at, code, then);
          const outcome = await sweepOnce(scenario, failing);
          const where = `call ${at} fails with ${code}, then the disk ${then}`;
          expectAllOrNothing(outcome, { whole, where });
          if (failing.count() < at) break;
        }
      }
    },
    120_000,
  );
});

function expectAllOrNothing(outcome: Outcome, { whole, where }: { whole: Outcome; where: string }): void {
  const { result, made, before, after, actions, debts } = outcome;
  const expected = made ? whole : { after: before, actions: ['a'], debts: [] };
  expect({ where, after, actions, debts: debts.length }).toEqual({
    where,
    after: expected.after,
    actions: expected.actions,
    debts: expected.debts.length,
  });
  expect({ where, chained: outcome.chained, residue: outcome.residue }).toEqual({
    where,
    chained: true,
    residue: [],
  });
  if (!(result instanceof Error)) expect({ where, made }).toEqual({ where, made: true });
  else if (!isStorageError(result, 'FILE.OUTCOME_UNKNOWN'))
    expect({ where, made }).toEqual({ where, made: false });
  if (result instanceof Error)
    expect({ where, typed: isStorageError(result) }).toEqual({ where, typed: true });
}
