import { afterAll, describe, expect, test } from '@jest/globals';
import BetterSqlite3 from 'better-sqlite3';
import { join } from 'node:path';

import { MOST_EVENTS } from '@deespec/domain';

import { checkIndex, openHandle, type IndexDifference } from '../src/index.js';
import { MemoryTree } from './memory-tree.js';
import { directory, removeDirectories } from './support.js';

afterAll(removeDirectories);

const id = 'SBI-01M810CC01J2AAPQZVYRK1YMJR';
const transaction = 'journal/2026-01-02/tx_1';

async function database(more: Readonly<Record<string, string>>): Promise<string> {
  const path = join(directory(), 'deespec.db');
  const tree = new MemoryTree();
  await tree.put(`specs/sbi/${id}/state.json`, '{"status":"WIP","priority":3}');
  await tree.put(`specs/sbi/${id}/implement_1.md`, 'implemented');
  await tree.put(`specs/sbi/${id}/review_2.md`, 'reviewed');
  await tree.put('setting.json', '{"max_turns":8}');
  const files = [{ type: 'spec', destination: `specs/sbi/${id}/spec.md`, checksum: '', size: 1, mode: 420 }];
  const manifest = { id: 'tx_1', description: 'x', files, created_at: '2026-01-02T03:04:05Z' };
  await tree.put(`${transaction}/manifest.json`, JSON.stringify(manifest));
  await tree.put(`${transaction}/status.intent`, '{}');
  const commit = {
    txn_id: 'tx_1',
    committed_at: '2026-01-02T03:04:06Z',
    committed_files: ['a'],
    success: true,
  };
  await tree.put(`${transaction}/status.commit`, JSON.stringify(commit));
  await tree.put('specs/sbi/SBI-INIT-001/spec.md', '# old');
  for (const [name, content] of Object.entries(more)) await tree.put(name, content);
  await tree.load(path, 'create');
  return path;
}

/** What the check finds after `sql` was run behind the store's back. @param more - files beside the usual ones */
async function differencesAfter(
  sql: string,
  more: Readonly<Record<string, string>> = {},
): Promise<IndexDifference[]> {
  const path = await database(more);
  const writer = new BetterSqlite3(path);
  writer.pragma('foreign_keys = OFF');
  writer.exec(sql);
  const changes = writer.prepare('SELECT total_changes()').pluck().get();
  writer.close();
  if (sql !== '') expect(changes).toBeGreaterThan(0);
  const handle = openHandle(path, 'read');
  try {
    return [...(await checkIndex(handle))];
  } finally {
    handle.close();
  }
}

describe('Check of the index', () => {
  test('finds nothing in a sound database', async () => {
    expect(await differencesAfter('')).toEqual([]);
  });

  test('finds nothing where an SBI has more lines than count', async () => {
    const line = { turn: 2, step: 'implement', artifacts: [`.deespec/specs/sbi/${id}/implement_2.md`] };
    const text = `${JSON.stringify({ ts: '2026-01-02T00:00:01Z', ...line })}\n`;

    expect(await differencesAfter('', { 'var/journal.ndjson': text.repeat(MOST_EVENTS + 2) })).toEqual([]);
  });

  test.each([
    ['a status', `UPDATE sbi SET status = 'DONE'`, `sbi ${id}`],
    ['a priority', 'UPDATE sbi SET priority = 4', `sbi ${id}`],
    ['an update time', `UPDATE sbi SET updated_at = '2020-01-02T03:04:05.000000000Z'`, `sbi ${id}`],
    ['metadata', `UPDATE sbi SET metadata = '{}'`, `sbi ${id}`],
    ['a lost SBI', 'DELETE FROM sbi', `sbi ${id}`],
    ['a decision', `UPDATE execution SET decision = 'SUCCEEDED' WHERE turn = 1`, `execution of ${id}`],
    [
      'an added execution',
      `INSERT INTO execution (sbi_id, turn, step, status, started_at)
       VALUES ('${id}', 9, 'x', 'x', '2020-01-02T03:04:05.000000000Z')`,
      `execution of ${id}`,
    ],
    [
      'an execution of no SBI',
      `INSERT INTO execution (sbi_id, turn, step, status, started_at)
       VALUES ('SBI-00000000000000000000000000', 9, 'x', 'x', '2020-01-02T03:04:05.000000000Z')`,
      'execution of SBI-00000000000000000000000000',
    ],
    ['a setting', `UPDATE config SET value = '9' WHERE key = 'setting.max_turns'`, 'config'],
    ['a lost setting', 'DELETE FROM config', 'config'],
    [
      'an added setting',
      `INSERT INTO config VALUES ('x', '1', '2020-01-02T03:04:05.000000000Z', CAST('nowhere' AS BLOB))`,
      'config',
    ],
    ['a lost audit row', 'DELETE FROM audit_log', 'audit_log'],
    ['an actor', `UPDATE audit_log SET user = 'mallory'`, 'audit_log'],
    [
      'an entry that is no longer quarantined',
      `UPDATE tree_entry SET state = 'stored', reason = NULL WHERE path = CAST('specs/sbi/SBI-INIT-001' AS BLOB)`,
      'tree_entry specs/sbi/SBI-INIT-001',
    ],
    [
      'an entry that is quarantined without reason',
      `UPDATE tree_entry SET state = 'quarantined', reason = 'x' WHERE path = CAST('setting.json' AS BLOB)`,
      'tree_entry setting.json',
    ],
  ])('finds and names %s that was changed', async (_, sql, where) => {
    const differences = await differencesAfter(sql);

    expect(differences).toContainEqual(expect.objectContaining({ where }));
    for (const { expected, actual } of differences) expect(expected).not.toBe(actual);
  });

  test('cannot derive from bytes that were lost with their execution', async () => {
    await expect(differencesAfter('DELETE FROM execution WHERE turn = 2')).rejects.toMatchObject({
      code: 'DATABASE.CORRUPT',
    });
  });
});
