import { displayPath, pathToBytes, type DerivedUnit, type SbiId } from '@deespec/domain';
import type { Database, Statement } from 'better-sqlite3';

import type { IndexDifference, IndexRow } from './index-difference.js';
import { executionName, type RowDifference } from './index-rows.js';

/** What stored rows units account for: the rows of an SBI's id, and those that came from a path. In a temporary file. */
export class Claims {
  private readonly insert: Statement;
  private readonly one: Statement;

  constructor(scratch: Database) {
    scratch.exec('CREATE TABLE claim (key BLOB PRIMARY KEY) WITHOUT ROWID');
    this.insert = scratch.prepare('INSERT INTO claim VALUES (?) ON CONFLICT DO NOTHING');
    this.one = scratch.prepare('SELECT 1 FROM claim WHERE key = ?');
  }

  /** @param found - how the stored rows of the unit differ: those are named already */
  add({ kind, path, sbi, config }: DerivedUnit, found: readonly RowDifference[]): void {
    const isPath = kind === 'transaction' || (kind === 'entry' && (config.length > 0 || found.length > 0));
    if (isPath) this.insert.run(pathToBytes(path));
    for (const id of [sbi?.id, ...found.map(({ sbiId }) => sbiId)]) {
      if (id !== undefined) this.insert.run(Buffer.from(id));
    }
  }

  has(key: Buffer): boolean {
    return this.one.get(key) !== undefined;
  }
}

/** Rows that no unit of the tree accounts for, in the order of their keys. */
export function* strayRows(handle: Database, claims: Claims): Generator<IndexDifference> {
  for (const row of strays(handle)) {
    if (claims.has(row.sbiId === undefined ? row.path! : Buffer.from(row.sbiId))) continue;
    const where = row.sbiId === undefined ? row.table : `${row.table} of ${row.sbiId}`;
    yield { where, expected: 'no such row', actual: row.key, row };
  }
}

function* strays(handle: Database): Generator<IndexRow> {
  const stored = (sql: string) => handle.prepare(sql).raw().iterate() as IterableIterator<unknown[]>;
  const is = 'not derived';
  for (const [id] of stored('SELECT id FROM sbi ORDER BY id')) {
    yield { rule: 'index-sbi', table: 'sbi', key: String(id), is, sbiId: String(id) as SbiId };
  }
  for (const row of stored('SELECT sbi_id, run, turn, step FROM execution ORDER BY 1, 2, 3, 4')) {
    const sbiId = String(row[0]) as SbiId;
    yield { rule: 'index-execution', table: 'execution', key: executionName(row), is, sbiId };
  }
  for (const [key, path] of stored('SELECT key, path FROM config ORDER BY key')) {
    yield { rule: 'index-config', table: 'config', key: String(key), is, path: path as Buffer };
  }
  // A row with a place in the chain of changes is no derived one, whatever else it says.
  for (const [path] of stored(
    'SELECT path FROM audit_log WHERE path IS NOT NULL AND seq IS NULL ORDER BY path',
  )) {
    const key = displayPath((path as Buffer).toString('latin1'));
    yield { rule: 'index-audit', table: 'audit_log', key, is, path: path as Buffer };
  }
}
