import type { TreeView } from '@deespec/domain';
import type { Database } from 'better-sqlite3';

import { ContentRows } from './content-rows.js';
import { EntryRows } from './entry-rows.js';
import { toStorageError } from './sqlite-error.js';
import { StoredJournal } from './stored-journal.js';
import { StoredView } from './stored-view.js';

/** The stored tree at one moment, on a connection that cannot write: whoever looks waits for no writer. */
export class ReadView {
  private readonly journal: StoredJournal;
  private readonly view: StoredView;

  constructor(private readonly reader: Database) {
    const entries = new EntryRows(reader);
    const contents = new ContentRows(reader);
    this.journal = new StoredJournal(reader, entries, contents);
    this.view = new StoredView(entries, contents, this.journal);
  }

  /**
   * Shows the tree in one read transaction.
   *
   * @returns `undefined` when the journal is not parsed as it is stored, so that nothing can be shown yet
   */
  show<T>(look: (tree: TreeView) => T, path: string): { readonly value: T } | undefined {
    try {
      return this.reader
        .transaction(() => (this.journal.isParsed() ? { value: look(this.view) } : undefined))
        .deferred();
    } catch (error) {
      throw toStorageError(error, path);
    }
  }
}
