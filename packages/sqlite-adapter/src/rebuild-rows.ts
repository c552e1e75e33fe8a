import { JOURNAL } from '@deespec/layout';
import type { SbiId } from '@deespec/domain';
import type { Database } from 'better-sqlite3';

import { checkIndex } from './check-index.js';
import { Derivation } from './derivation.js';
import type { IndexRow } from './index-difference.js';
import { forgetJournal } from './journal-state.js';
import { RowChanges } from './row-edits.js';
import { forgetTexts, indexTexts } from './search-fill.js';
import { StoredJournal } from './stored-journal.js';
import { StoredView } from './stored-view.js';
import { UnitWriter } from './unit-writer.js';

/** Derived rows that are not what the stored bytes say. */
export interface Repairs {
  /** In the order of the tree, then rows of nothing that is in it; each once. */
  readonly rows: readonly IndexRow[];
  /** How many there are beyond those. */
  readonly more: number;
}

/** Rows that are repaired at a time: a plan is read by people and held in memory. */
const MOST = 10_000;

/** Finds what {@link rebuildRows} can rebuild. Reads only, in the caller's transaction if there is one. */
export function findRepairs(handle: Database, most = MOST): Repairs {
  const rows: IndexRow[] = [];
  let more = 0;
  const wholes = new Set<string>();
  for (const { row } of checkIndex(handle)) {
    if (row === undefined || wholes.has(row.rule)) continue;
    if (row.rule === 'index-journal' || row.rule === 'index-search') wholes.add(row.rule);
    if (rows.length < most) rows.push(row);
    else more += 1;
  }
  return { rows, more };
}

/**
 * Makes rows what the stored bytes say, by deriving the units that they come from as every write does; rows that nothing
 * derives go. No byte of an entry is changed or dropped: what lies with an execution is moved out before, and back by the
 * derivation. Runs in the caller's transaction, which has to prove afterwards that the tree is the same.
 *
 * @throws StorageError `DATABASE.CORRUPT`, `SQLITE.*`
 */
export function rebuildRows(handle: Database, rows: readonly IndexRow[]): void {
  handle.pragma('defer_foreign_keys = ON');
  const writer = new UnitWriter(handle);
  const { entries, contents } = writer;
  const journal = new StoredJournal(handle, entries, contents);
  const derivation = new Derivation(new StoredView(entries, contents, journal), writer, journal);
  const changes = new RowChanges(handle, 0);
  const ground = derivation.ground();
  const hasSearch = rows.some(({ rule }) => rule === 'index-search');
  // First: a removed SBI takes its words along, which may not be there.
  if (hasSearch) forgetTexts(handle);
  clear(handle, rows, { writer, changes });
  if (rows.some(({ unit }) => unit === JOURNAL)) {
    forgetJournal(handle);
    changes.isExtended = false;
  }
  for (const unit of new Set(rows.map((row) => row.unit))) if (unit !== undefined) changes.paths.push(unit);
  derivation.follow(changes, ground);
  if (hasSearch) indexTexts(handle);
}

/** Takes away what would stand in the way of rows that are derived anew: other rows have their keys, or their paths. */
function clear(
  handle: Database,
  rows: readonly IndexRow[],
  { writer, changes }: { readonly writer: UnitWriter; readonly changes: RowChanges },
): void {
  const removeExecutions = handle.prepare('DELETE FROM execution WHERE sbi_id = ?');
  const removeSbi = handle.prepare('DELETE FROM sbi WHERE id = ?');
  const removeConfig = handle.prepare('DELETE FROM config WHERE key = ?');
  const removeAudit = handle.prepare('DELETE FROM audit_log WHERE path = ? AND seq IS NULL');
  // A path is unique, and may be held by a row that gets another one later. No path of a tree begins with a slash.
  const park = handle.prepare(`UPDATE sbi SET path = CAST('/' || id AS BLOB) WHERE id = ?`);
  for (const [id, of] of bySbi(rows)) {
    writer.moveOutOf(id, changes.rev);
    if (of.some(({ table, is }) => table === 'sbi' && is === 'different')) park.run(id);
    const isWhole = of.some(
      ({ table, is, unit }) => unit === undefined || (table === 'sbi' && is !== 'different'),
    );
    if (isWhole) removeExecutions.run(id);
    if (isWhole) removeSbi.run(id);
  }
  for (const { table, key, path } of rows.filter(({ unit }) => unit === undefined)) {
    if (table === 'config') removeConfig.run(key);
    if (table === 'audit_log') removeAudit.run(path);
  }
}

function bySbi(rows: readonly IndexRow[]): Map<SbiId, IndexRow[]> {
  const groups = new Map<SbiId, IndexRow[]>();
  for (const row of rows) {
    if (row.sbiId === undefined) continue;
    const group = groups.get(row.sbiId);
    if (group === undefined) groups.set(row.sbiId, [row]);
    else group.push(row);
  }
  return groups;
}
