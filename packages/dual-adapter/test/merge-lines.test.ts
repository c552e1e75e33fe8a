import type { TreePath } from '@deespec/domain';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createHash } from 'node:crypto';

import { isJournalPath, mergeLines, type Content } from '../src/merge-lines.js';

function baseOf(text: string): { size: number; sha256: string } {
  const bytes = Buffer.from(text);
  return { size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** A content in small chunks, each of which is the same buffer filled again. */
function contentOf(bytes: Buffer): Content {
  return function* () {
    const buffer = Buffer.alloc(3);
    for (let at = 0; at < bytes.length; at += 3)
      yield buffer.subarray(0, bytes.copy(buffer, 0, at, Math.min(at + 3, bytes.length)));
  };
}

function append(base: string | undefined, files: Buffer, database: Buffer): Buffer | undefined {
  const known = base === undefined ? undefined : baseOf(base);
  const lines = mergeLines(known, contentOf(files), contentOf(database));
  return lines === undefined ? undefined : Buffer.concat(lines);
}

function merge(base: string | undefined, files: string, database: string): string | undefined {
  return append(base, Buffer.from(files), Buffer.from(database))?.toString();
}

/** What the files hold after lines were appended. */
function after(files: Buffer, added: Buffer): Buffer {
  const isEnded = files.length === 0 || files.at(-1) === 10;
  return added.length === 0 ? files : Buffer.concat([files, Buffer.from(isEnded ? '' : '\n'), added]);
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

    expect(after(files, append(undefined, files, database)!)).toEqual(database);
  });

  const lines = fc.array(fc.constantFrom('a', 'b', 'cc', 'ccd', ''), { maxLength: 6 });
  const text = fc
    .tuple(lines, fc.boolean())
    .map(([all, isEnded]) => all.join('\n') + (isEnded && all.length > 0 ? '\n' : ''));

  test('keeps the files as they are, and every line of the database', () => {
    fc.assert(
      fc.property(text, text, text, (base, more, ours) => {
        const files = Buffer.from(base + more);
        const database = Buffer.from(base + ours);

        const added = append(base, files, database)!;

        expect(added.length === 0 || added.at(-1) === 10).toBe(true);
        const there = after(files, added).toString().split('\n');
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
        const first = after(files, append(base, files, database)!);
        const partial = first.subarray(0, files.length + (cut % (first.length - files.length + 1)));
        const recovered = after(partial, append(base, partial, database)!);

        expect(append(base, first, database)).toHaveLength(0);
        expect(append(base, recovered, database)).toHaveLength(0);
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
