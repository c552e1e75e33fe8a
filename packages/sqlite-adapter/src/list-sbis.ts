import type { Sbi, IndexFilter, SbiId } from '@deespec/domain';
import type { Database } from 'better-sqlite3';

import { boundedColumns } from './bounded-rows.js';
import { findLabelled } from './labels.js';
import { listedIn, type Page } from './list-page.js';
import { wordsOf } from './matches.js';
import { pageSize } from './page.js';
import { placeOf, sbiFromRow, sbiNotFound, type SbiRow } from './sbi.js';
import { searchedIds } from './searched-page.js';
import { toStorageError } from './sqlite-error.js';

const COLUMNS = boundedColumns('s', [
  ['id', 'id'],
  ['task_id', 'taskId'],
  ['label', 'label'],
  ['priority', 'priority'],
  ['status', 'status'],
  ['created_at', 'createdAt'],
  ['updated_at', 'updatedAt'],
  ['completed_at', 'completedAt'],
  ['metadata', 'metadata'],
]);

/**
 * A keyset page as `Index.listSbis` says, in one read transaction. Where few items have a word or a label, it begins with those.
 *
 * @throws StorageError `SBI.NOT_FOUND` for `after`, `USAGE.INVALID`, `DATABASE.CORRUPT`
 */
export function listSbis(handle: Database, filter: IndexFilter): Sbi[] {
  const limit = pageSize(filter.limit);
  try {
    return handle
      .transaction(() => {
        const after = filter.after === undefined ? undefined : placeOf(filter, findSbi(handle, filter.after));
        return rowsOf(handle, { filter, after, limit });
      })
      .deferred()
      .map(sbiFromRow);
  } catch (error) {
    throw toStorageError(error, handle.name);
  }
}

/** By ids alone, for which indexes are enough, then their rows. */
function rowsOf(handle: Database, page: Page): SbiRow[] {
  const { search, label } = page.filter;
  const ids =
    search === undefined ? listedIds(handle, page) : searchedIds(handle, page, wordsOf(search, label));
  return handle
    .prepare(`SELECT ${COLUMNS} FROM json_each(:ids) p CROSS JOIN sbi s ON s.id = p.value ORDER BY p.key`)
    .all({ ids: JSON.stringify(ids) }) as SbiRow[];
}

function listedIds(handle: Database, page: Page): SbiId[] {
  const { label, status } = page.filter;
  const source = label === undefined ? undefined : findLabelled(handle, label, status);
  return listedIn(handle, page, source).map(({ id }) => id);
}

/** @throws StorageError `SBI.NOT_FOUND` */
function findSbi(handle: Database, id: SbiId): Sbi {
  const row = handle.prepare(`SELECT ${COLUMNS} FROM sbi s WHERE s.id = ?`).get(id) as SbiRow | undefined;
  if (row === undefined) throw sbiNotFound(id);
  return sbiFromRow(row);
}
