import { parseSearch, type Sbi, type SbiFilter, type SbiId } from '@deespec/domain';
import type { Database } from 'better-sqlite3';

import { boundedColumns } from './bounded-rows.js';
import { pageSize } from './page.js';
import { sbiFromRow, sbiNotFound, sbiPage, type SbiPage, type SbiRow } from './sbi.js';
import { toStorageError } from './sqlite-error.js';

/** Up to so many matches, each is looked up; more are collected, and the list is walked until the page is full. */
const FEW = 1_000;

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

const FOUND = 'SELECT rowid FROM search_text WHERE search_text MATCH :match';

/**
 * A keyset page of SBIs that hold every word of `filter.search`, as `listSbis` gives it without one: in one read transaction.
 *
 * @throws StorageError `SBI.NOT_FOUND` for `after`, `USAGE.INVALID`, `DATABASE.CORRUPT`
 */
export function searchSbis(handle: Database, filter: SbiFilter & { readonly search: string }): Sbi[] {
  // Each word as a string, in which FTS5 knows no operators: a word of ours is one of its own, and has no quote in it.
  const match = parseSearch(filter.search)
    .map(({ written }) => `"${written}"`)
    .join(' AND ');
  const limit = pageSize(filter.limit);
  try {
    return handle
      .transaction(() => {
        const after = filter.after === undefined ? undefined : findSbi(handle, filter.after);
        return new SearchPage(handle, (search) => sbiPage(filter, after, search), { match, limit }).rows();
      })
      .deferred()
      .map(sbiFromRow);
  } catch (error) {
    throw toStorageError(error, handle.name);
  }
}

interface Condition {
  readonly condition: string;
  readonly isFew: boolean;
}

/** Two ways to one page: which takes less depends on how many SBIs match. */
class SearchPage {
  constructor(
    private readonly handle: Database,
    private readonly pageOf: (search: Condition) => SbiPage,
    private readonly search: { readonly match: string; readonly limit: number },
  ) {}

  rows(): SbiRow[] {
    const { match } = this.search;
    const count = this.handle.prepare(`SELECT count(*) FROM (${FOUND} LIMIT :most)`).pluck();
    return (count.get({ match, most: FEW }) as number) < FEW ? this.lookUp() : this.walk();
  }

  /** From the matches to the SBIs. */
  private lookUp(): SbiRow[] {
    const from =
      'search_text t CROSS JOIN search_item i ON i.id = t.rowid CROSS JOIN sbi s ON s.id = i.sbi_id';
    return this.all(from, { condition: 't.search_text MATCH :match', isFew: true });
  }

  /** Along the list, with a look at which rows match. */
  private walk(): SbiRow[] {
    const condition = `(SELECT i.id FROM search_item i WHERE i.sbi_id = s.id) IN (${FOUND})`;
    return this.all('sbi s', { condition, isFew: false });
  }

  /** The page by ids alone, for which indexes are enough, then its rows. */
  private all(from: string, search: Condition): SbiRow[] {
    const { conditions, order, direction, values } = this.pageOf(search);
    const ordered = order.map((column) => `${column} ${direction}`).join(', ');
    const where = conditions.join(' AND ');
    const ids = `SELECT s.id FROM ${from} WHERE ${where} ORDER BY ${ordered} LIMIT :limit`;
    return this.handle
      .prepare(`SELECT ${COLUMNS} FROM (${ids}) p CROSS JOIN sbi s ON s.id = p.id ORDER BY ${ordered}`)
      .all({ ...values, ...this.search }) as SbiRow[];
  }
}

/** @throws StorageError `SBI.NOT_FOUND` */
function findSbi(handle: Database, id: SbiId): Sbi {
  const row = handle.prepare(`SELECT ${COLUMNS} FROM sbi s WHERE s.id = ?`).get(id) as SbiRow | undefined;
  if (row === undefined) throw sbiNotFound(id);
  return sbiFromRow(row);
}
