import { afterEach, describe, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { openStorage, setMode, verifyAudit } from '../src/index.js';
import { migratedTree, removeDirectories } from './support.js';

afterEach(removeDirectories);

/** A tree in mode sqlite with three records in its chain. */
async function changedTree(): Promise<string> {
  const home = await migratedTree();
  await setMode({ home, mode: 'sqlite' });
  const storage = await openStorage({ home });
  for (const value of ['1', '2', '3']) await storage.setConfig('setting.max_turns', value);
  await storage.settled();
  await storage.close();
  return home;
}

function inDatabase(home: string, sql: string): void {
  const database = new Database(join(home, 'deespec.db'));
  database.exec(sql);
  database.close();
}

describe('verifyAudit', () => {
  test('counts the records of both and names the last that they share', async () => {
    const home = await changedTree();

    const report = await verifyAudit({ home });

    expect(report).toMatchObject({ ok: true, records: { database: 3, outside: 3 }, head: { seq: 3 } });
  });

  test('misses a record that the database lost', async () => {
    const home = await changedTree();
    inDatabase(home, 'DELETE FROM audit_log WHERE seq = 3');

    const report = await verifyAudit({ home });

    expect(report).toMatchObject({ ok: false, records: { database: 2, outside: 3 }, head: { seq: 2 } });
    expect(report.problems).toEqual([
      { where: 'database', seq: 3, message: 'is missing; it is kept outside the database' },
    ]);
  });

  test('notices a record that was changed, and one that is gone from the middle', async () => {
    const home = await changedTree();
    inDatabase(
      home,
      "UPDATE audit_log SET new_value = '9' WHERE seq = 1; DELETE FROM audit_log WHERE seq = 2",
    );

    const { ok, problems } = await verifyAudit({ home });

    expect(ok).toBe(false);
    expect(problems.map(({ where, seq }) => [where, seq])).toEqual([
      ['database', 1],
      ['database', 3],
    ]);
  });

  test.each(['file', 'sqlite'] as const)('leaves a database of mode %s as it is', async (mode) => {
    const home = await changedTree();
    await setMode({ home, mode });

    await verifyAudit({ home });

    expect(readdirSync(home).filter((name) => name.startsWith('deespec.db'))).toEqual(['deespec.db']);
  });
});
