import type { EntryKind, Projection, TreeEntry, TreePath } from '@deespec/domain';
import { describe, expect, test } from '@jest/globals';

import { decide, type Decision, type DiskEntry, type Facts, type Truth } from '../src/decide.js';

const path = 'f' as TreePath;

/** A version with a content of one letter; `undefined` for none. */
function entry(content: string | undefined, more: Partial<TreeEntry> = {}): TreeEntry | undefined {
  if (content === undefined) return undefined;
  const stat = { path, kind: 'file', mode: 0o644, mtimeNs: 1_000n, size: 1 } as const;
  return { ...stat, sha256: content.repeat(64), ...more };
}

function file(content: string | undefined, more: Partial<DiskEntry> = {}): DiskEntry | undefined {
  const there = entry(content);
  return there && { ...there, ctimeNs: 1_000n, ino: 7n, ...more };
}

function projection(content: string | undefined, more: Partial<Projection> = {}): Projection | undefined {
  const there = file(content);
  return there && { ...there, seenAtMs: 5_000, ...more };
}

interface Row {
  readonly f?: string;
  readonly d?: string;
  readonly p?: string;
}

function facts({ f, d, p }: Row, more: Partial<Facts> = {}): Facts {
  const known = { file: file(f), entry: entry(d), projection: projection(p) };
  return { ...known, debt: false, truth: 'files', isJournal: false, ...more };
}

function outcome(decision: Decision): string {
  return 'keep' in decision && decision.keep !== undefined
    ? `${decision.action}, keeping ${decision.keep}`
    : decision.action;
}

describe('decide', () => {
  test.each<[Row, string, string]>([
    [{}, 'nothing', 'nothing'],
    [{ p: 'a' }, 'forget', 'forget'],
    [{ d: 'a' }, 'write', 'write'],
    [{ d: 'a', p: 'a' }, 'remove-entry', 'remove-entry'],
    [{ d: 'a', p: 'b' }, 'remove-entry, keeping sqlite', 'write'],
    [{ f: 'a' }, 'import', 'import'],
    [{ f: 'a', p: 'a' }, 'remove-file', 'remove-file'],
    [{ f: 'a', p: 'b' }, 'import', 'import, keeping files'],
    [{ f: 'a', d: 'a' }, 'note', 'note'],
    [{ f: 'a', d: 'a', p: 'a' }, 'nothing', 'nothing'],
    [{ f: 'a', d: 'a', p: 'b' }, 'note', 'note'],
    [{ f: 'a', d: 'b' }, 'import, keeping sqlite', 'write, keeping files'],
    [{ f: 'a', d: 'b', p: 'a' }, 'write', 'write'],
    [{ f: 'a', d: 'b', p: 'b' }, 'import', 'import'],
    [{ f: 'a', d: 'b', p: 'c' }, 'import, keeping sqlite', 'write, keeping files'],
  ])('of %j: %s where the files count, %s where the database does', (row, files, sqlite) => {
    expect(outcome(decide(facts(row, { truth: 'files' })))).toBe(files);
    expect(outcome(decide(facts(row, { truth: 'sqlite' })))).toBe(sqlite);
  });

  test.each<[string, Facts, string]>([
    ['owes what is in step', facts({ f: 'a', d: 'a', p: 'a' }, { debt: true }), 'note'],
    ['owes what is in neither', facts({}, { debt: true }), 'forget'],
    [
      'owes what was deleted in the files',
      facts({ d: 'a', p: 'a' }, { debt: true, truth: 'sqlite' }),
      'write',
    ],
    [
      'owes the removal of what it never saw',
      facts({ f: 'a' }, { debt: true, truth: 'sqlite' }),
      'remove-file, keeping files',
    ],
    ['wrote both since', facts({ f: 'b', d: 'c', p: 'a' }, { base: entry('b')!, truth: 'sqlite' }), 'write'],
    ['removed both since', facts({ f: 'a', p: 'a' }, { base: 'absent' }), 'import'],
  ])('when the database %s', (_, known, wanted) => {
    expect(outcome(decide(known))).toBe(wanted);
  });

  test.each<[string, Partial<DiskEntry>]>([
    ['time', { mtimeNs: 2_000n }],
    ['inode', { ino: 8n }],
    ['time of change', { ctimeNs: 2_000n }],
  ])('notes another %s of the same version', (_, more) => {
    const known = { ...facts({ d: 'a', p: 'a' }), file: file('a', more) };

    expect(decide(known).action).toBe('note');
  });

  test.each<[string, Partial<DiskEntry>]>([
    ['mode', { mode: 0o600 }],
    ['kind', { kind: 'symlink' }],
    ['kind of a directory', { kind: 'directory', sha256: '' }],
  ])('takes another %s for a change', (_, more) => {
    const known = { ...facts({ d: 'a', p: 'a' }), file: file('a', more) };

    expect(decide(known).action).toBe('import');
  });

  test.each<[string, Row, string]>([
    ['the lines of a journal that both added to', { f: 'a', d: 'b', p: 'c' }, 'merge'],
    ['what the database added to a journal', { f: 'a', d: 'b', p: 'a' }, 'merge'],
    ['a journal that was never in step', { f: 'a', d: 'b' }, 'merge'],
    ['what the files added to a journal', { f: 'a', d: 'b', p: 'b' }, 'import'],
  ])('merges or imports %s', (_, row, wanted) => {
    expect(outcome(decide(facts(row, { isJournal: true, truth: 'sqlite' })))).toBe(wanted);
  });

  test('takes the mode of a journal from the files', () => {
    const known = {
      ...facts({ f: 'a', p: 'a' }, { isJournal: true, truth: 'sqlite' }),
      entry: entry('a', { mode: 0o600 }),
    };

    expect(outcome(decide(known))).toBe('import');
  });

  test('keeps no conflict of a directory', () => {
    const directory = { kind: 'directory' as EntryKind, sha256: '' };
    const known = {
      ...facts({ p: 'a' }),
      file: file('a', { ...directory, mode: 0o700 }),
      entry: entry('a', directory),
    };

    expect(outcome(decide({ ...known, truth: 'files' }))).toBe('import');
    expect(outcome(decide({ ...known, truth: 'sqlite' }))).toBe('write');
  });
});

describe('decide, carried out', () => {
  const contents = [undefined, 'a', 'b', 'c'];
  const rows = contents.flatMap((f) => contents.flatMap((d) => contents.map((p) => ({ f, d, p }))));
  const cases = rows.flatMap((row) =>
    (['files', 'sqlite'] as Truth[]).flatMap((truth) =>
      [false, true].map((debt) => ({ ...row, truth, debt })),
    ),
  );

  test.each(cases)('loses nothing of $f, $d, $p ($truth, debt $debt), and leaves nothing to do', (row) => {
    const known = { file: file(row.f), entry: entry(row.d), projection: projection(row.p) };
    const { truth, debt } = row;

    const after = carryOut({ ...known, truth, debt, isJournal: false });

    // What was in step and is deleted or replaced on one side was seen by the one who did so.
    const isOwed = (content: string | undefined): boolean =>
      content !== undefined &&
      (content !== row.p || (debt && truth === 'sqlite' && content === row.d && row.f === undefined));
    const wanted = [row.f, row.d].filter(isOwed);
    expect(after.contents).toEqual(expect.arrayContaining(wanted));
    expect(decide(after.facts)).toMatchObject({ action: 'nothing' });
  });
});

/** What a decision leaves, as the carrier makes it. */
function carryOut(before: Facts): { facts: Facts; contents: (string | undefined)[] } {
  let known = before;
  const kept: string[] = [];
  for (let round = 0; round < 3; round += 1) {
    const decision = decide(known);
    if ('keep' in decision) kept.push((decision.keep === 'files' ? known.file : known.entry)!.sha256[0]!);
    known = next(known, decision);
  }
  return { facts: known, contents: [known.file?.sha256[0], known.entry?.sha256[0], ...kept] };
}

function next(known: Facts, { action }: Decision): Facts {
  const { file: there, entry: stored } = known;
  const noted = (now: DiskEntry | undefined, inDatabase: TreeEntry | undefined): Facts => ({
    ...known,
    file: now,
    entry: inDatabase,
    projection: now && { ...now, seenAtMs: 9_000 },
    debt: false,
  });
  switch (action) {
    case 'import':
      return noted(there, there);
    case 'note':
    case 'forget':
      return noted(there, stored);
    case 'write':
      return noted({ ...stored!, ctimeNs: 9n, ino: 9n }, stored);
    case 'remove-entry':
    case 'remove-file':
      return noted(undefined, undefined);
    default:
      return known;
  }
}
