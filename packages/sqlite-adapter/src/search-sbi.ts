import { parseSearch, type Sbi, type SbiFilter, type SbiId } from '@deespec/domain';
import type { Database } from 'better-sqlite3';

import { pageSize } from './page.js';
import { sbiFromRow, sbiNotFound, sbiPage, type SbiPage, type SbiRow } from './sbi.js';
import { toStorageError } from './sqlite-error.js';
import { CELL_BYTES } from './stored-cell.js';

/** Up to so many matches, all of them are looked up and sorted. Source: measured, `tooling/bench`. */
const FEW = 2_000;
/** SBIs that are tried one by one where many match: a page is full soon then, and the matches need not be collected. */
const TRIED = 200;

/** One too large, which only a damaged file has, comes as a BLOB and is refused as no text. */
const COLUMNS = [
  ['id', 'id'],
  ['task_id', 'taskId'],
  ['label', 'label'],
  ['priority', 'priority'],
  ['status', 'status'],
  ['created_at', 'createdAt'],
  ['updated_at', 'updatedAt'],
  ['completed_at', 'completedAt'],
  ['metadata', 'metadata'],
]
  .map(
    ([column, name]) =>
      `CASE WHEN octet_length(s.${column}) > ${CELL_BYTES} THEN x'' ELSE s.${column} END AS ${name}`,
  )
  .join(', ');

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
        return new SearchPage(handle, sbiPage(filter, after), { match, limit }).rows();
      })
      .deferred()
      .map(sbiFromRow);
  } catch (error) {
    throw toStorageError(error, handle.name);
  }
}

/** Three ways to one page: which takes least depends on how many SBIs match. */
class SearchPage {
  constructor(
    private readonly handle: Database,
    private readonly page: SbiPage,
    private readonly search: { readonly match: string; readonly limit: number },
  ) {}

  rows(): SbiRow[] {
    const { match, limit } = this.search;
    const count = this.handle.prepare(`SELECT count(*) FROM (${FOUND} LIMIT :most)`).pluck();
    if ((count.get({ match, most: FEW }) as number) < FEW) return this.lookUp();
    const rows = limit < TRIED ? this.tryFirst() : [];
    return rows.length === limit ? rows : this.walk();
  }

  /** From the matches to the SBIs. */
  private lookUp(): SbiRow[] {
    return this
      .all(`FROM search_text t CROSS JOIN search_item i ON i.id = t.rowid CROSS JOIN sbi s ON s.id = i.sbi_id
      ${this.where('t.search_text MATCH :match')}`);
  }

  /** The first SBIs of the list, each with a look into the index of words. */
  private tryFirst(): SbiRow[] {
    return this.all(`FROM (SELECT * FROM sbi s ${this.where()} ORDER BY ${this.order} LIMIT ${TRIED}) s
      WHERE EXISTS (${FOUND} AND rowid = (SELECT i.id FROM search_item i WHERE i.sbi_id = s.id))`);
  }

  /** The list, with a look at which rows match. */
  private walk(): SbiRow[] {
    return this.all(
      `FROM sbi s ${this.where(`(SELECT i.id FROM search_item i WHERE i.sbi_id = s.id) IN (${FOUND})`)}`,
    );
  }

  private all(from: string): SbiRow[] {
    return this.handle
      .prepare(`SELECT ${COLUMNS} ${from} ORDER BY ${this.order} LIMIT :limit`)
      .all({ ...this.page.values, ...this.search }) as SbiRow[];
  }

  private get order(): string {
    return this.page.order.join(', ');
  }

  private where(...more: readonly string[]): string {
    const conditions = [...more, ...this.page.conditions];
    return conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  }
}

/** @throws StorageError `SBI.NOT_FOUND` */
function findSbi(handle: Database, id: SbiId): Sbi {
  const row = handle.prepare(`SELECT ${COLUMNS} FROM sbi s WHERE s.id = ?`).get(id) as SbiRow | undefined;
  if (row === undefined) throw sbiNotFound(id);
  return sbiFromRow(row);
}
