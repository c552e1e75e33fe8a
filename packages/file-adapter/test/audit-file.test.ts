import { putIf, pathFromText, type AuditRecord } from '@deespec/domain';
import { chainAudit } from '@deespec/layout';
import { describe, expect, test } from '@jest/globals';
import fs from 'node:fs';
import { join } from 'node:path';

import { codeOf, note, plant, withTree } from './support.js';

const place = '.storage/audit.ndjson';

/** `count` records that follow one another. */
function chain(count: number, size = 0): AuditRecord[] {
  const records: AuditRecord[] = [];
  for (let at = 0; at < count; at += 1) {
    records.push(chainAudit({ ...note(`${at}`), newValue: 'x'.repeat(size) }, records.at(-1)));
  }
  return records;
}

describe('the records outside the database', () => {
  test('are those that were added, each once', () =>
    withTree(({ store }) => {
      const records = chain(5);

      store.appendAudit(records.slice(0, 2));
      store.appendAudit(records.slice(0, 4));
      store.appendAudit([]);
      store.appendAudit(records);

      expect([...store.auditSince(0)]).toEqual(records);
      expect([...store.auditSince(3)]).toEqual(records.slice(3));
    }));

  test.each([1, 70_000, 1_100_000])('go on behind a last record of %d bytes', (size) =>
    withTree(async ({ store }) => {
      const records = chain(3, size);
      store.appendAudit(records);

      const { audit } = await store.edit(() => ({ edits: [], audit: [note('next')] }));

      expect(audit).toEqual([chainAudit(note('next'), records[2])]);
      expect([...store.auditSince(0)]).toHaveLength(4);
    }),
  );

  test.each([
    ['a torn line', '{"seq":3,"hash"'],
    ['a line that is none', 'garbage\n'],
    ['blank lines', '\n\n'],
    ['a record without its hash', '{"seq":9,"timestamp":"x","entityType":"x","entityId":"x","action":"x"}\n'],
  ])('pass over %s', (_, tail) =>
    withTree(async ({ store, home }) => {
      const records = chain(2);
      store.appendAudit(records);
      fs.appendFileSync(join(home, place), tail);

      const { audit } = await store.edit(() => ({ edits: [], audit: [note('next')] }));

      expect(audit).toEqual([chainAudit(note('next'), records[1])]);
      expect([...store.auditSince(0)]).toEqual([...records, ...audit]);
    }),
  );

  test('hold a last record that lacks nothing but its line feed', () =>
    withTree(async ({ store, home }) => {
      const records = chain(3);
      store.appendAudit(records.slice(0, 2));
      fs.truncateSync(join(home, place), fs.statSync(join(home, place)).size - 1);

      store.appendAudit(records);

      expect([...store.auditSince(0)]).toEqual(records);
    }));

  test('are listed with the transactions of the journal', () =>
    withTree(async ({ store, index }) => {
      await store.edit(() => ({
        edits: [],
        audit: [note('b'), { ...note('a'), timestamp: '2025-01-01T00:00:00.000000000Z' }],
      }));
      await store.edit(() => ({ edits: [], audit: [{ ...note('c'), entityId: 'y' }] }));

      const actions = async (filter: object): Promise<string[]> =>
        (await index.listAudit(filter)).map(({ action }) => action);
      expect(await actions({})).toEqual(['a', 'b', 'c']);
      expect(await actions({ since: note('').timestamp })).toEqual(['b', 'c']);
      expect(await actions({ offset: 1, limit: 1 })).toEqual(['b']);
      expect(await actions({ entityId: 'y' })).toEqual(['c']);
      expect(await codeOf(() => index.listAudit({ offset: -1 }))).toBe('USAGE.INVALID');
    }));

  test('are not read through a symlink', () =>
    withTree(async ({ store, home }) => {
      plant(home, { '.storage/': '', elsewhere: '' });
      fs.symlinkSync('../elsewhere', join(home, place));
      const version = {
        path: pathFromText('f'),
        kind: 'file',
        mode: 0o644,
        bytes: Buffer.from('x'),
      } as const;

      const edits = [{ op: 'put', version, expected: undefined }] as const;
      expect(await codeOf(() => store.edit(() => ({ edits, audit: [note('a')] })))).toBe('TREE.PATH_UNSAFE');
      expect(await codeOf(() => [...store.auditSince(0)])).toBe('TREE.PATH_UNSAFE');
      await putIf(store, version, undefined);
      expect(fs.readFileSync(join(home, 'elsewhere'), 'utf8')).toBe('');
    }));
});
