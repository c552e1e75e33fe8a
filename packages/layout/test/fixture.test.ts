import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { joinPath } from '@deespec/domain';
import type { DerivedUnit, TreePath, TreeReader, TreeStat } from '@deespec/domain';
import { checks } from '@deespec/validators';

import { deriveTree, MemorySpool } from '../src/index.js';

const archive = fileURLToPath(new URL('../../../../shared/fixtures/deespec-v0.1.14.tar.gz', import.meta.url));
const hasFixture = existsSync(archive);
if (!hasFixture) console.warn('skipped: the tree written by the Go tool is not there');

/** Just enough of a reader for a quiet tree of plain names. */
function readerOf(root: string): TreeReader {
  const statOf = (path: TreePath): TreeStat => {
    const stat = lstatSync(join(root, path), { bigint: true });
    const kind = stat.isDirectory() ? 'directory' : stat.isSymbolicLink() ? 'symlink' : 'file';
    const size = kind === 'directory' ? 0 : Number(stat.size);
    return { path, kind, mode: Number(stat.mode & 0o7777n), mtimeNs: stat.mtimeNs, size };
  };
  function* scan(parent = ''): Iterable<TreeStat> {
    for (const name of readdirSync(join(root, parent)).sort()) {
      const stat = statOf(joinPath(parent, name));
      yield stat;
      if (stat.kind === 'directory') yield* scan(stat.path);
    }
  }
  return {
    scan,
    find: (path) => (existsSync(join(root, path)) ? { ...statOf(path), sha256: '' } : undefined),
    *read(path) {
      const file = openSync(join(root, path), 'r');
      const chunk = Buffer.alloc(65_536);
      for (let size = readSync(file, chunk); size > 0; size = readSync(file, chunk)) {
        yield Buffer.from(chunk.subarray(0, size));
      }
      closeSync(file);
    },
  };
}

// Checked by hand against docs/formats.md, the journal and the files.
const sbis = [
  ['SBI-01M810CC01J2AAPQZVYRK1YMJR', 'DONE', 4, '2026-11-22T06:51:29.783655791Z', 'backend,batch-1'],
  ['SBI-01M810CC093DHZQK57AH103BW2', 'WIP', 50, undefined, 'backend,batch-2'],
  ['SBI-01M810CC0E1QPWVBAQZNVKTE5J', 'READY', 0, undefined, 'backend,batch-0'],
  ['SBI-01M810CC0MAGFJ1P8BJYYDR87D', 'READY', 0, undefined, 'backend,batch-1'],
  ['SBI-01M810CC0V1XYX4EEFXXESYM4F', 'READY', 0, undefined, 'backend,batch-2'],
  ['SBI-01M810CC10VPNJWP61ZZRJCKY0', 'READY', 0, undefined, 'backend,batch-0'],
  ['SBI-01M810CC15S6MDEHX2Z3KXKHHT', 'READY', 0, undefined, 'backend,batch-1'],
  ['SBI-01M810CC1D9A9RCHBJ1KS15H0N', 'READY', 0, undefined, 'backend,batch-2'],
];

const first = [
  '1 1 plan READY PENDING 1 -',
  '1 2 implement WIP PENDING 1 implement_2.md',
  '1 3 review REVIEW PENDING 1 review_3.md',
  '1 4 done DONE SUCCEEDED 1 done_4.md',
];

const second = [
  ...['1 1 plan READY PENDING 1 -', '1 2 implement WIP PENDING 1 -', '1 3 review REVIEW PENDING 1 -'],
  ...['1 4 implement WIP NEEDS_CHANGES 2 -', '1 5 review REVIEW PENDING 2 -', '1 6 implement WIP FAILED 2 -'],
  ...['1 7 review REVIEW NEEDS_CHANGES 2 -', '1 8 implement WIP NEEDS_CHANGES 3 -'],
  ...['2 1 plan READY PENDING 1 -', '2 2 implement WIP PENDING 1 -', '2 3 review REVIEW PENDING 1 -'],
  ...[
    '2 4 implement WIP NEEDS_CHANGES 2 -',
    '2 5 review REVIEW PENDING 2 -',
    '2 6 implement WIP NEEDS_CHANGES 3 -',
  ],
  ...['2 7 review REVIEW PENDING 3 -', '2 8 done REVIEW&WIP NEEDS_CHANGES 3 -'],
  ...['3 1 plan READY PENDING 1 -', '3 2 implement WIP PENDING 1 -', '3 3 review REVIEW PENDING 1 -'],
  ...[
    '3 4 implement WIP NEEDS_CHANGES 2 -',
    '3 5 review REVIEW PENDING 2 -',
    '3 6 implement WIP NEEDS_CHANGES 3 -',
  ],
  ...['3 7 review REVIEW PENDING 3 -', '3 8 done REVIEW&WIP FAILED 3 -'],
  ...['4 1 plan READY PENDING 1 -', '4 2 implement WIP PENDING 1 -', '4 3 review REVIEW PENDING 1 -'],
  ...['4 4 implement WIP NEEDS_CHANGES 2 -', '4 5 review REVIEW PENDING 2 -', '4 6 implement WIP FAILED 2 -'],
  ...['4 7 review REVIEW NEEDS_CHANGES 2 -', '4 8 implement WIP NEEDS_CHANGES 3 implement_8.md'],
  ...['5 1 plan READY PENDING 1 -', '5 2 implement WIP PENDING 1 -', '5 3 review REVIEW PENDING 1 -'],
  ...[
    '5 4 implement WIP NEEDS_CHANGES 2 -',
    '5 5 review REVIEW PENDING 2 -',
    '5 6 implement WIP NEEDS_CHANGES 3 -',
  ],
  ...['5 7 review REVIEW PENDING 3 -', '5 8 done REVIEW&WIP NEEDS_CHANGES 3 -'],
  ...[
    '6 1 plan READY PENDING 1 -',
    '6 2 implement WIP PENDING 1 -',
    '6 3 review REVIEW PENDING 1 review_3.md',
  ],
  ...['6 4 implement WIP NEEDS_CHANGES 2 implement_4.md', '6 5 review REVIEW PENDING 2 review_5.md'],
  ...['6 6 implement WIP NEEDS_CHANGES 3 implement_6.md', '6 7 review REVIEW PENDING 3 review_7.md'],
  '6 8 done REVIEW&WIP FAILED 3 done_8.md',
  ...['7 1 plan READY PENDING 1 -', '7 2 implement WIP PENDING 1 implement_2.md'],
];

(hasFixture ? describe : describe.skip)('a tree that the Go tool wrote', () => {
  let directory: string;
  let units: DerivedUnit[];

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'deespec-layout-'));
    execFileSync('tar', ['-xzf', archive, '-C', directory]);
    units = [...deriveTree(readerOf(join(directory, '.deespec')), { checks, spool: new MemorySpool() })];
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const executionsOf = (id: string): string[] =>
    units
      .flatMap(({ executions }) => executions)
      .filter(({ sbiId }) => sbiId === id)
      .map(({ run, turn, step, status, decision, attempt, contentPath }) => {
        return `${run} ${turn} ${step} ${status} ${decision} ${attempt} ${contentPath?.split('/').at(-1) ?? '-'}`;
      });

  test('has its SBIs', () => {
    const rows = units.flatMap(({ sbi, executions }) =>
      sbi === undefined ? [] : [[sbi.id, sbi.status, executions.length, sbi.completedAt, sbi.label]],
    );

    expect(rows).toEqual(sbis);
  });

  test('has the executions of each run', () => {
    expect(executionsOf('SBI-01M810CC01J2AAPQZVYRK1YMJR')).toEqual(first);
    expect(executionsOf('SBI-01M810CC093DHZQK57AH103BW2')).toEqual(second);
  });

  test('has the lease on the step in work, and times to the nanosecond', () => {
    const leased = units
      .flatMap(({ executions }) => executions)
      .filter((row) => row.leaseExpiresAt !== undefined);

    expect(leased).toMatchObject([
      {
        run: 7,
        turn: 2,
        startedAt: '2026-11-22T06:51:31.405857483Z',
        completedAt: '2026-11-22T06:51:31.447857483Z',
        leaseExpiresAt: '2026-11-22T06:59:31.405177319Z',
        metadata: { line: 54, elapsedMs: 42 },
      },
    ]);
  });

  test('has its settings', () => {
    const config = new Map(
      units.flatMap((unit) => unit.config.map(({ key, valueJson }) => [key, valueJson])),
    );

    expect(config.size).toBe(23);
    expect(config.get('setting.project_name')).toBe('"Ünïcode – demo"');
    expect(config.get('workflow.name')).toBe('"simple-dev-loop"');
  });

  test('has nothing wrong, and every entry in one unit', () => {
    expect(units.flatMap(({ findings }) => findings)).toEqual([]);
    const paths = units.flatMap(({ entries }) => entries.map(({ path }) => path));
    expect(paths).toEqual([...readerOf(join(directory, '.deespec')).scan()].map(({ path }) => path));
  });
});
