import {
  displayPath,
  type AuditRecord,
  type DerivedUnit,
  type JournalSpool,
  type TreeEntry,
} from '@deespec/domain';
import { deriveTree, isChained, JOURNAL } from '@deespec/layout';
import { checks } from '@deespec/validators';
import type { Database } from 'better-sqlite3';

import { AuditRows } from './audit-rows.js';
import { readEntry, type ContentRows } from './content-rows.js';
import type { EntryRows } from './entry-rows.js';
import { openHandle } from './handle.js';
import type { IndexDifference, IndexRow } from './index-difference.js';
import type { RowDifference } from './index-rows.js';
import { SqliteJournalSpool } from './journal-spool.js';
import { readJournalState, type JournalState } from './journal-state.js';
import { SearchRows, UnitText, wholeBasis } from './search-rows.js';
import { storedEvents } from './journal-event-cell.js';
import { countLines } from './stored-journal.js';
import { Claims, strayRows } from './stray-rows.js';
import { UnitWriter } from './unit-writer.js';

const ruleOf = {
  sbi: 'index-sbi',
  execution: 'index-execution',
  config: 'index-config',
  audit_log: 'index-audit',
} as const;

/**
 * Derives the index again from the stored bytes and compares it with the index tables, and each entry's state with what
 * the rules say of it. Never writes to the database; the journal's events go to a temporary file, so that memory stays flat.
 */
export function* checkIndex(handle: Database): Generator<IndexDifference> {
  // A database without a name is private, and gone when it is closed. Source: sqlite.org/inmemorydb.html.
  const scratch = openHandle('', 'build');
  try {
    scratch.exec('BEGIN IMMEDIATE');
    const spool = new SqliteJournalSpool(scratch);
    yield* differences(handle, spool, new Claims(scratch));
    yield* journalDifferences(handle, spool);
    yield* auditDifferences(handle);
    yield* strayWords(handle);
  } finally {
    scratch.close();
  }
}

function* differences(handle: Database, spool: JournalSpool, claims: Claims): Generator<IndexDifference> {
  const writer = new UnitWriter(handle);
  const reader = {
    scan: () => writer.entries.scan(),
    find: (path: DerivedUnit['path']) => writer.entries.find(path),
    read: (path: DerivedUnit['path']) => readEntry(writer.contents, writer.entries.find(path)!),
  };
  const search = new SearchRows(handle);
  for (const unit of deriveTree(reader, { checks, spool })) {
    const found = writer.index.differences(unit);
    for (const difference of found) yield ofUnit(difference, unit);
    yield* wrongStates(unit, writer.entries);
    claims.add(unit, found);
    yield* wrongWords(unit, search);
  }
  yield* strayContents(handle);
  yield* strayRows(handle, claims);
}

function ofUnit(difference: RowDifference, unit: DerivedUnit): IndexDifference {
  const { table, key, is, sbiId, where, expected, actual } = difference;
  const owner = sbiId === undefined ? {} : { sbiId };
  const shown = table === 'audit_log' ? displayPath(key) : key;
  const row: IndexRow = { rule: ruleOf[table], table, key: shown, is, unit: unit.path, ...owner };
  return { where, expected, actual, row };
}

/** The persisted parse of the journal; without its state there is none yet, and no event. */
function* journalDifferences(handle: Database, fresh: SqliteJournalSpool): Generator<IndexDifference> {
  const row = journalRow;
  const state = readJournalState(handle);
  const parsed = state === undefined ? [] : fresh.events();
  const stored = storedEvents(handle);
  for (const expected of parsed) {
    const next = stored.next();
    const actual = next.done === true ? 'no such row' : next.value;
    if (actual !== expected) yield { where: 'journal_event', expected, actual, row };
  }
  for (const actual of stored) yield { where: 'journal_event', expected: 'no such row', actual, row };
  const { entries, contents } = new UnitWriter(handle);
  const wanted = state === undefined ? undefined : wantedState(entries, contents);
  const [expected, actual] = [JSON.stringify(wanted ?? null), JSON.stringify(state ?? null)];
  if (expected !== actual) yield { where: 'journal_state', expected, actual, row };
}

/** The kept parse is one thing: it is made anew as a whole. */
const journalRow: IndexRow = {
  rule: 'index-journal',
  table: 'journal_event',
  key: JOURNAL,
  is: 'different',
  unit: JOURNAL,
};

function wantedState(entries: EntryRows, contents: ContentRows): JournalState | undefined {
  const entry = entries.find(JOURNAL);
  if (entry?.kind !== 'file') return undefined;
  const end = { bytes: 0, lines: 0 };
  for (const _ of countLines(readEntry(contents, entry), end));
  return { sha256: entry.sha256, ...end, isClean: entry.reason === undefined };
}

/** Rows of the log that are neither derived from the tree nor a link of the chain of changes, and links that do not hold. */
function* auditDifferences(handle: Database): Generator<IndexDifference> {
  const strays = handle
    .prepare('SELECT count(*) FROM audit_log WHERE (path IS NULL) = (seq IS NULL)')
    .pluck();
  const actual = strays.get() as number;
  if (actual > 0) {
    const expected = 'rows of the tree, or of the chain of changes';
    yield { where: 'audit_log', expected, actual: `${actual} rows that are neither, or both` };
  }
  let before: AuditRecord | undefined;
  for (const record of new AuditRows(handle).since(0)) {
    if (!isChained(record, before)) {
      const expected = 'the hash of the change and of the one before it';
      yield { where: `audit_log seq ${record.seq}`, expected, actual: record.hash };
    }
    before = record;
  }
}

/** Bytes in `execution.content` that no entry of the tree has there. */
function* strayContents(handle: Database): Generator<IndexDifference> {
  const rows = handle
    .prepare(
      `SELECT sbi_id AS sbiId, run, turn, step FROM execution e WHERE content IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM tree_entry t WHERE t.execution_id = e.id) ORDER BY id`,
    )
    .all() as { sbiId: string; run: number; turn: number; step: string }[];
  for (const { sbiId, run, turn, step } of rows) {
    const where = `execution ${sbiId} run ${run} turn ${turn} ${step}`;
    yield { where, expected: 'no content: no entry has its bytes there', actual: 'content' };
  }
}

/** The words of all SBIs are one thing, too. */
const searchRow: IndexRow = {
  rule: 'index-search',
  table: 'search_item',
  key: 'of every SBI',
  is: 'different',
};

/** Words of other texts or labels than the SBI has: each entry that comes out of the scan has its hash. */
function* wrongWords(unit: DerivedUnit, search: SearchRows): Generator<IndexDifference> {
  if (unit.sbi === undefined) return;
  const text = new UnitText({ ...unit, sbi: unit.sbi });
  for (const { path, sha256 } of unit.entries as readonly TreeEntry[]) text.note(path, sha256);
  const expected = wholeBasis(text.basis(), text.labelBasis());
  const actual = search.basisOf(unit.sbi) ?? 'no such row';
  if (expected !== actual) yield { where: `search_item ${unit.sbi.id}`, expected, actual, row: searchRow };
}

/** Rows of one of the two tables of the search without a row of the other, or of an SBI that does not exist. */
function* strayWords(handle: Database): Generator<IndexDifference> {
  const strays = handle
    .prepare(
      `SELECT count(*) FROM search_item i FULL JOIN search_text_docsize t ON t.id = i.id
       WHERE t.id IS NULL OR i.id IS NULL OR NOT EXISTS (SELECT 1 FROM sbi s WHERE s.id = i.sbi_id)`,
    )
    .pluck();
  const actual = strays.get() as number;
  if (actual === 0) return;
  const expected = 'one row of words for each SBI';
  yield {
    where: 'search_text',
    expected,
    actual: `${actual} rows that belong to none, or have no words`,
    row: searchRow,
  };
}

function* wrongStates(unit: DerivedUnit, entries: EntryRows): Generator<IndexDifference> {
  for (const { path } of unit.entries) {
    const expected = unit.quarantined.get(path) ?? 'stored';
    const actual = entries.find(path)?.reason ?? 'stored';
    if (expected === actual) continue;
    const key = displayPath(path);
    const row = { rule: 'entry-state', table: 'tree_entry', key, is: 'different', unit: unit.path } as const;
    yield { where: `tree_entry ${key}`, expected, actual, row };
  }
}
