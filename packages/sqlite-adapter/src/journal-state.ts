import type { Database } from 'better-sqlite3';

// Beside `stored-journal.ts`, which needs the validators: a short command must not load them.

/** The row of `journal_state`: how far, and of what, `journal_event` is the parse. */
export interface JournalState {
  readonly sha256: string;
  /** End of the last complete line. */
  readonly bytes: number;
  readonly lines: number;
  readonly isClean: boolean;
}

/** Forgets what was parsed: it is parsed anew when it is needed. Runs in the caller's transaction, or in its own. */
export function forgetJournal(handle: Database): void {
  handle.exec('DELETE FROM journal_event; DELETE FROM journal_state;');
}

/** The recorded state, or `undefined` when the journal was not parsed yet. */
export function readJournalState(handle: Database): JournalState | undefined {
  const row = handle
    .prepare('SELECT sha256, bytes, lines, is_clean AS isClean FROM journal_state WHERE id = 1')
    .get() as (Omit<JournalState, 'isClean'> & { readonly isClean: number }) | undefined;
  return row === undefined ? undefined : { ...row, isClean: row.isClean === 1 };
}
