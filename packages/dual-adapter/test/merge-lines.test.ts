import type { TreePath } from '@deespec/domain';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createHash } from 'node:crypto';

import { isJournalPath, mergeLines } from '../src/merge-lines.js';

function baseOf(text: string): { size: number; sha256: string } {
  const bytes = Buffer.from(text);
  return { size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

function merge(base: string | undefined, files: string, database: string): string | undefined {
  const known = base === undefined ? undefined : baseOf(base);
  return mergeLines(known, Buffer.from(files), Buffer.from(database))?.append.toString();
}

describe('mergeLines', () => {
  test.each<[string, string | undefined, string, string, string | undefined]>([
    ['nothing when both are equal', 'a\n', 'a\nb\n', 'a\nb\n', ''],
    ['what the database added', 'a\n', 'a\n', 'a\nb\nc\n', 'b\nc\n'],
    ['nothing when only the files added', 'a\n', 'a\nb\n', 'a\n', ''],
    ['what the database added when both did', 'a\n', 'a\nx\n', 'a\ny\n', 'y\n'],
    ['only what is missing when nothing is known', undefined, 'a\nx\n', 'a\ny\nx\n', 'y\n'],
    ['a line as often as it is missing', 'a\n', 'a\na\n', 'a\na\na\n', 'a\n'],
    ['nothing that was in both before', 'a\na\n', 'a\na\n', 'a\na\nb\n', 'b\n'],
    ['no blank lines', 'a\n', 'a\n', 'a\n\nb\n\n', 'b\n'],
    ['behind a last line without LF', 'a\n', 'a\nx', 'a\ny\n', 'y\n'],
    ['a last line of the database without LF', 'a\n', 'a\n', 'a\ny', 'y\n'],
    ['no torn line that the files completed', 'a\nb', 'a\nbc\n', 'a\nb\nours\n', 'ours\n'],
    ['a torn line that the files hold torn', 'a\nb', 'a\nb', 'a\nb\nours\n', 'ours\n'],
    ['no beginning of a line that the files have', 'a\n', 'a\nlong\n', 'a\nlo', ''],
    ['all that is missing when the database was rewritten', 'a\nb\n', 'a\nb\n', 'z\n', 'z\n'],
    ['nothing when the files were rewritten', 'a\nb\n', 'b\n', 'a\nb\nc\n', undefined],
    ['nothing when the files were cut off', 'a\nb\n', 'a\n', 'a\nb\nc\n', undefined],
  ])('appends %s', (...[, base, files, database, wanted]) => {
    expect(merge(base, files, database)).toBe(wanted);
  });

  test('appends no line of ours that stands behind an object of another program on one line', () => {
    const ours = '{"artifacts":[],"id":"01M8ABCDEFGHJKMNPQRSTVWXYZ","turn":1}\n';
    const other = ours.replace('01M8', '01M9');

    expect(merge('a\n', `a\n{"turn":2}${ours}\n`, `a\n${ours}${other}`)).toBe(other);
  });

  test('keeps bytes that are no text', () => {
    const files = Buffer.from([0xff, 10]);
    const database = Buffer.from([0xff, 10, 0xfe, 0, 10]);

    expect(mergeLines(undefined, files, database)?.content).toEqual(database);
  });

  const lines = fc.array(fc.constantFrom('a', 'b', 'cc', 'ccd', ''), { maxLength: 6 });
  const text = fc
    .tuple(lines, fc.boolean())
    .map(([all, isEnded]) => all.join('\n') + (isEnded && all.length > 0 ? '\n' : ''));

  test('keeps the files as they are, and every line of the database', () => {
    fc.assert(
      fc.property(text, text, text, (base, more, added) => {
        const files = Buffer.from(base + more);
        const database = Buffer.from(base + added);

        const { append, content } = mergeLines(baseOf(base), files, database)!;

        expect(content.subarray(0, files.length)).toEqual(files);
        expect(append.length === 0 || append.at(-1) === 10).toBe(true);
        const there = content.toString().split('\n');
        const complete = database
          .toString()
          .split('\n')
          .slice(0, -1)
          .filter((line) => line !== '');
        const torn = base.split('\n').at(-1)!;
        const isThere = (line: string): boolean =>
          there.includes(line) || there.some((one) => one.startsWith(line) && line === torn);
        expect(complete.filter((line) => !isThere(line))).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  test('appends nothing twice, also in the middle of a crash', () => {
    fc.assert(
      fc.property(fc.tuple(text, text, text, fc.nat()), ([base, more, added, cut]) => {
        const files = Buffer.from(base + more);
        const database = Buffer.from(base + added);
        const first = mergeLines(baseOf(base), files, database)!;
        const partial = first.content.subarray(
          0,
          files.length + (cut % (first.content.length - files.length + 1)),
        );

        const again = mergeLines(baseOf(base), first.content, database)!;
        const recovered = mergeLines(baseOf(base), partial, database)!;

        expect(again.append).toHaveLength(0);
        expect(mergeLines(baseOf(base), recovered.content, database)!.append).toHaveLength(0);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('isJournalPath', () => {
  test.each([
    ['var/journal.ndjson', true],
    ['a/b/c.jsonl', true],
    ['journal/today.log', true],
    ['journal/2026-01-02/notes', true],
    ['journal/2026-01-02/tx-1/manifest.json', false],
    ['var/journal.json', false],
    ['x.ndjson.bak', false],
  ])('of %s: %p', (path, wanted) => {
    expect(isJournalPath(path as TreePath)).toBe(wanted);
  });
});
