import type { Sbi, SbiId, TreePath } from '@deespec/domain';
import type { Database } from 'better-sqlite3';

import { ContentRows, readEntry } from './content-rows.js';
import { EntryRows } from './entry-rows.js';
import { statusesByPart } from './search-part.js';
import { SearchRows, UnitText } from './search-rows.js';
import { atMost, CELL_BYTES, storedObject, storedPath, storedText } from './stored-cell.js';

/** SBIs that are read at a time. */
const PAGE_ROWS = 500;

/**
 * Indexes the words of every SBI of a database that was made without them, in the caller's transaction.
 *
 * @param hasLabels - false before schema version 10
 * @throws StorageError `DATABASE.CORRUPT`
 */
export function indexTexts(handle: Database, hasLabels = true): void {
  const entries = new EntryRows(handle);
  const contents = new ContentRows(handle);
  const search = new SearchRows(handle, { hasLabels });
  const read = (path: TreePath) => Buffer.concat([...readEntry(contents, entries.find(path)!)]);
  for (const row of sbiRows(handle, hasLabels)) {
    const unit = { ...row, entries: entries.listSbi(row.sbi.id) };
    const text = new UnitText(unit);
    for (const { path, sha256 } of unit.entries) text.note(path, sha256);
    search.write(text, read);
  }
  joinTexts(handle);
}

/**
 * Makes one of the pieces in which FTS5 wrote the words: it looks into each of them for each word. In the caller's transaction, if any.
 *
 * Source: sqlite.org/fts5.html, "optimize".
 */
export function joinTexts(handle: Database): void {
  handle.exec(`INSERT INTO search_text (search_text) VALUES ('optimize')`);
}

/** Forgets the words of every SBI, whatever is there, in the caller's transaction. Source: sqlite.org/fts5.html, "delete-all". */
export function forgetTexts(handle: Database): void {
  handle.exec(`DELETE FROM search_item; INSERT INTO search_text (search_text) VALUES ('delete-all');`);
}

interface IndexedRow {
  readonly sbi: Pick<Sbi, 'id' | 'status' | 'metadata' | 'label'>;
  readonly path: TreePath;
  readonly executions: readonly { readonly contentPath: TreePath }[];
}

/** In the order of the parts. */
function* sbiRows(handle: Database, hasLabels: boolean): Generator<IndexedRow> {
  const columns = ['id', 'created_at', 'label', 'metadata', 'path'].map(
    (name) => `${atMost(name, CELL_BYTES)} AS ${name}`,
  );
  const page = handle.prepare(
    `SELECT ${columns.join(', ')} FROM sbi s WHERE s.status = ? AND (s.created_at, s.id) > (?, ?)
     ORDER BY s.created_at, s.id LIMIT ${PAGE_ROWS}`,
  );
  const contents = handle
    .prepare(`SELECT ${atMost('path', CELL_BYTES)} FROM execution WHERE sbi_id = ? AND path IS NOT NULL`)
    .pluck();
  for (const status of statusesByPart) {
    for (let after = ['', '']; ;) {
      const rows = page.all(status, ...after) as StoredSbi[];
      if (rows.length === 0) break;
      for (const row of rows) {
        const id = storedText(row.id, 'sbi') as SbiId;
        const where = `sbi ${id}`;
        after = [storedText(row.created_at, where), id];
        yield {
          sbi: {
            id,
            status,
            metadata: storedObject(row.metadata, where),
            ...(row.label === null || !hasLabels ? {} : { label: storedText(row.label, where) }),
          },
          path: storedPath(row.path, where),
          executions: contents.all(id).map((path) => ({ contentPath: storedPath(path, where) })),
        };
      }
    }
  }
}

interface StoredSbi {
  readonly id: unknown;
  readonly created_at: unknown;
  readonly label: unknown;
  readonly metadata: unknown;
  readonly path: unknown;
}
