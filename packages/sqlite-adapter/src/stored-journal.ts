import {
  invariant,
  MOST_EVENTS,
  type JournalEvent,
  type JournalSpool,
  type SbiId,
  type TreeEntry,
  type TreePath,
  type TreeReader,
} from '@deespec/domain';
import { JOURNAL, readContext, readJournalTail, type TreeContext } from '@deespec/layout';
import { checks } from '@deespec/validators';
import type { Database, Statement } from 'better-sqlite3';

import type { ContentRows } from './content-rows.js';
import type { EntryRow, EntryRows } from './entry-rows.js';
import { eventsIn } from './journal-event-cell.js';
import { forgetJournal, readJournalState, type JournalState } from './journal-state.js';

/** What a change of the journal means for the index. */
export interface JournalChange {
  /** SBIs whose events are others now; `all` when nobody can tell. */
  readonly touched: ReadonlySet<SbiId> | 'all';
  /** Why the journal is kept but not interpreted as a whole. */
  readonly reason?: string | undefined;
}

/** SQL for a cell of events with one more, see `eventsIn`. */
function withEvent(cell: string, event: string): string {
  return `CASE json_type(${cell}) WHEN 'array' THEN json_insert(${cell}, '$[#]', json(${event}))
         ELSE json_array(json(${cell}), json(${event})) END`;
}

/** More bytes than this are read line by line into the table, not into memory: 8 MiB. */
const TAIL_BYTES = 8_388_608;
const EMPTY: JournalState = { sha256: '', bytes: 0, lines: 0, isClean: true };

/**
 * The events of `var/journal.ndjson` in `journal_event`: parsed once, then read on by the lines that are appended. Every
 * statement runs in the caller's transaction.
 */
export class StoredJournal implements JournalSpool {
  private readonly insert: Statement;
  private readonly last: Statement;
  private readonly all: Statement;
  private readonly count: Statement;
  private readonly idsAfter: Statement;
  private readonly removeAfter: Statement;
  private readonly setState: Statement;

  constructor(
    private readonly handle: Database,
    private readonly entries: EntryRows,
    private readonly contents: ContentRows,
  ) {
    this.insert = handle.prepare(
      `INSERT INTO journal_event (sbi_id, line, "offset", event) VALUES (?, ?, ?, ?)
       ON CONFLICT (sbi_id, line) DO UPDATE SET event = ${withEvent('event', 'excluded.event')}
         WHERE excluded."offset" > journal_event."offset"`,
    );
    const ofSbi = 'FROM journal_event WHERE sbi_id = ?';
    this.last = handle.prepare(`SELECT event ${ofSbi} ORDER BY line DESC LIMIT ${MOST_EVENTS}`).pluck();
    this.all = handle.prepare(`SELECT event ${ofSbi} ORDER BY line`).pluck();
    this.count = handle.prepare(`SELECT coalesce(sum(max(1, json_array_length(event))), 0) ${ofSbi}`).pluck();
    this.idsAfter = handle
      .prepare('SELECT sbi_id FROM journal_event INDEXED BY idx_journal_event_line WHERE line > ?')
      .pluck();
    this.removeAfter = handle.prepare(
      'DELETE FROM journal_event INDEXED BY idx_journal_event_line WHERE line > ?',
    );
    this.setState = handle.prepare(
      `INSERT INTO journal_state (id, sha256, bytes, lines, is_clean) VALUES (1, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET sha256 = excluded.sha256, bytes = excluded.bytes, lines = excluded.lines,
         is_clean = excluded.is_clean`,
    );
  }

  add(event: JournalEvent): void {
    const { changes } = this.insert.run(event.sbiId, event.line, event.offset, JSON.stringify(event));
    invariant(changes === 1, `events come in journal order: line ${event.line}`);
  }

  eventsOf(sbiId: SbiId): readonly JournalEvent[] {
    return this.last.all(sbiId).reverse().flatMap(eventsIn).slice(-MOST_EVENTS);
  }

  countOf(sbiId: SbiId): number {
    return this.count.get(sbiId) as number;
  }

  picksOf(sbiId: SbiId): number {
    const last = this.last.get(sbiId);
    const run = last === undefined ? 0 : eventsIn(last).at(-1)!.run;
    if (run > 1) return run;
    // The first run is the first whether it was picked or not.
    for (const cell of this.all.iterate(sbiId)) if (eventsIn(cell).some(({ isPick }) => isPick)) return run;
    return 0;
  }

  /** True when the events are those of the journal as it is stored. */
  isParsed(): boolean {
    return this.state(this.entries.find(JOURNAL)) !== undefined;
  }

  /** Makes sure that the events are those of the journal as it is stored; parses it when they are not. */
  prepare(): JournalState {
    const entry = this.entries.find(JOURNAL);
    const state = this.state(entry);
    if (state !== undefined) return state;
    this.parse(entry);
    return this.state(entry)!;
  }

  /**
   * Follows a change of the journal.
   *
   * @param before - what `prepare` gave before the change
   * @param isExtended - the journal as it was up to `before.bytes` is the beginning of the journal as it is
   */
  follow(before: JournalState, isExtended: boolean): JournalChange {
    const entry = this.entries.find(JOURNAL);
    const isReadable = entry === undefined || entry.kind === 'file';
    const isSame = isReadable && this.state(entry) !== undefined;
    if (isSame) return { touched: new Set(), reason: entry?.reason };
    if (!isExtended) return { touched: 'all', reason: this.parse(entry) };
    const touched = new Set(this.idsAfter.all(before.lines) as SbiId[]);
    this.removeAfter.run(before.lines);
    const isRead = before.isClean && entry?.kind === 'file' && this.readOn(entry, before);
    const reason = isRead ? undefined : this.parse(entry);
    for (const id of this.idsAfter.all(before.lines) as SbiId[]) touched.add(id);
    return { touched, reason };
  }

  /** The state when it is that of `entry`. */
  private state(entry: TreeEntry | undefined): JournalState | undefined {
    const state = readJournalState(this.handle);
    if (entry?.kind !== 'file') return state === undefined ? EMPTY : undefined;
    return state?.sha256 === entry.sha256 ? state : undefined;
  }

  /** Reads the lines after `before`. @returns false when that is not enough to know what the journal means */
  private readOn(entry: EntryRow, before: JournalState): boolean {
    if (entry.contentId === undefined || entry.size - before.bytes > TAIL_BYTES) return false;
    const picksOf = (id: SbiId): number => this.picksOf(id);
    const start = { line: before.lines + 1, offset: before.bytes };
    const chunks = this.contents.readFrom(entry.contentId, { offset: before.bytes, size: entry.size });
    const events: JournalEvent[] = [];
    const take = (event: JournalEvent): void => void events.push(event);
    const { isClean, end } = readJournalTail(chunks, { checks, start, picksOf, take });
    if (!isClean || end.offset !== entry.size) return false;
    for (const event of events) this.add(event);
    this.setState.run(entry.sha256, end.offset, end.line - 1, 1);
    return true;
  }

  /** Parses the whole journal. @returns why it is not interpreted as a whole */
  private parse(entry: EntryRow | undefined): string | undefined {
    forgetJournal(this.handle);
    if (entry === undefined) return undefined;
    const end = { bytes: 0, lines: 0 };
    const tree = journalOf(this.entries, entry, () => countLines(this.contents.read(entry.contentId!), end));
    const { quarantined } = readContext(tree, { checks, spool: this });
    const reason = quarantined.get(JOURNAL);
    const isFile = entry.kind === 'file';
    if (isFile) this.setState.run(entry.sha256, end.bytes, end.lines, reason === undefined ? 1 : 0);
    return reason;
  }
}

/** What everything but the journal says of every unit: small files, read now. */
export function contextWithout(tree: TreeReader, spool: JournalSpool): TreeContext {
  return readContext(
    {
      scan: () => tree.scan(),
      find: (path) => (path === JOURNAL ? undefined : tree.find(path)),
      read: (path) => tree.read(path),
    },
    { checks, spool },
  );
}

/** A tree of nothing but the journal. */
function journalOf(entries: EntryRows, entry: EntryRow, read: () => Iterable<Buffer>): TreeReader {
  const find = (path: TreePath): EntryRow | undefined => {
    if (path === JOURNAL) return entry;
    return JOURNAL.startsWith(`${path}/`) ? entries.find(path) : undefined;
  };
  return { scan: () => [], find, read };
}

/** Passes chunks on, and counts their complete lines. */
export function* countLines(
  chunks: Iterable<Buffer>,
  end: { bytes: number; lines: number },
): Generator<Buffer> {
  let start = 0;
  for (const chunk of chunks) {
    for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, at + 1)) {
      end.bytes = start + at + 1;
      end.lines += 1;
    }
    start += chunk.length;
    yield chunk;
  }
}
