import { MOST_EVENTS, type JournalEvent, type JournalSpool, type SbiId } from '@deespec/domain';
import type { Database, Statement } from 'better-sqlite3';

/** Journal events in a temporary table: memory stays flat however long the journal is. */
export class SqliteJournalSpool implements JournalSpool {
  private readonly insert: Statement;
  private readonly last: Statement;
  private readonly count: Statement;
  private readonly picks: Statement;
  private readonly all: Statement;

  constructor(handle: Database) {
    handle.exec('DROP TABLE IF EXISTS temp.journal_event');
    handle.exec('CREATE TEMP TABLE journal_event (sbi_id TEXT, line INTEGER, offset INTEGER, event TEXT)');
    handle.exec('CREATE INDEX temp.idx_journal_event ON journal_event (sbi_id)');
    this.insert = handle.prepare(
      'INSERT INTO temp.journal_event (sbi_id, line, offset, event) VALUES (?, ?, ?, ?)',
    );
    const ofSbi = 'FROM temp.journal_event WHERE sbi_id = ?';
    this.last = handle
      .prepare(`SELECT event ${ofSbi} ORDER BY line DESC, offset DESC LIMIT ${MOST_EVENTS}`)
      .pluck();
    this.count = handle.prepare(`SELECT count(*) ${ofSbi}`).pluck();
    this.picks = handle.prepare(`SELECT count(*) ${ofSbi} AND event ->> 'isPick'`).pluck();
    this.all = handle.prepare('SELECT event FROM temp.journal_event ORDER BY line, offset').pluck();
  }

  add(event: JournalEvent): void {
    this.insert.run(event.sbiId, event.line, event.offset, JSON.stringify(event));
  }

  eventsOf(sbiId: SbiId): readonly JournalEvent[] {
    return (this.last.all(sbiId) as string[]).reverse().map((event) => JSON.parse(event) as JournalEvent);
  }

  countOf(sbiId: SbiId): number {
    return this.count.get(sbiId) as number;
  }

  picksOf(sbiId: SbiId): number {
    return this.picks.get(sbiId) as number;
  }

  /** Every event as JSON text, in journal order. */
  events(): IterableIterator<string> {
    return this.all.iterate() as IterableIterator<string>;
  }
}
