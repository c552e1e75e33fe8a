import { pathToBytes, type Debt, type TreePath } from '@deespec/domain';
import type { Database, Statement } from 'better-sqlite3';

import { atMost, storedInteger, storedPath, storedText } from './stored-cell.js';

/** Longest kept message of a failure, characters. */
const LONGEST = 1_000;
/** Longest cell, bytes: a character has four at most. */
const CELL = 1_048_576;

const columns = ['path', 'rev', 'since', 'tries', 'last_error'] as const;
type RawRow = Readonly<Record<(typeof columns)[number], unknown>>;

const SELECT = `SELECT ${columns.map((name) => `${atMost(name, CELL)} AS ${name}`).join(', ')} FROM outbox`;

/** Rows of `outbox`: paths whose files are behind the database. Every statement runs in the caller's transaction. */
export class OutboxRows {
  private readonly upsert: Statement;
  private readonly one: Statement;
  private readonly first: Statement;
  private readonly total: Statement;
  private readonly clearRow: Statement;
  private readonly fail: Statement;

  constructor(handle: Database) {
    // Since when stays: the files are behind since the first change they do not have. What is written all the time would wait for
    // ever if it went to the end of the queue each time.
    this.upsert = handle.prepare(
      `INSERT INTO outbox (path, seq, rev, since) VALUES (?, ?, ?, ?)
       ON CONFLICT (path) DO UPDATE SET seq = excluded.seq, rev = excluded.rev, tries = 0, last_error = NULL`,
    );
    this.one = handle.prepare(`${SELECT} WHERE outbox.path = ?`);
    this.first = handle.prepare(`${SELECT} ORDER BY outbox.since, outbox.rev, outbox.seq LIMIT ?`);
    this.total = handle.prepare('SELECT count(*) FROM outbox').pluck();
    this.clearRow = handle.prepare('DELETE FROM outbox WHERE path = ? AND rev = ?');
    this.fail = handle.prepare('UPDATE outbox SET tries = tries + 1, last_error = ? WHERE path = ?');
  }

  /** Notes what a change did. A path that is owed already is owed once, for the newest change. */
  add(paths: readonly TreePath[], rev: number, since: string): void {
    paths.forEach((path, seq) => this.upsert.run(pathToBytes(path), seq, rev, since));
  }

  find(path: TreePath): Debt | undefined {
    const raw = this.one.get(pathToBytes(path)) as RawRow | undefined;
    return raw === undefined ? undefined : fromRaw(raw);
  }

  list(limit: number): Debt[] {
    return (this.first.all(limit) as RawRow[]).map(fromRaw);
  }

  count(): number {
    return this.total.get() as number;
  }

  /** Forgets a debt when it is still the one of this change. */
  clear(path: TreePath, rev: number): void {
    this.clearRow.run(pathToBytes(path), rev);
  }

  noteFailure(path: TreePath, message: string): void {
    // Through bytes: half a surrogate pair is no text.
    const text = Buffer.from(message.slice(0, LONGEST)).toString('utf8').replaceAll('\0', '?');
    this.fail.run(text, pathToBytes(path));
  }
}

function fromRaw(raw: RawRow): Debt {
  const path = storedPath(raw.path, 'outbox');
  const where = `outbox ${path}`;
  return {
    path,
    rev: storedInteger(raw.rev, where),
    since: storedText(raw.since, where),
    tries: storedInteger(raw.tries, where),
    ...(raw.last_error === null ? {} : { lastError: storedText(raw.last_error, where) }),
  };
}
