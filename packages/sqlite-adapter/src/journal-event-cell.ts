import type { JournalEvent } from '@deespec/domain';
import type { Database } from 'better-sqlite3';

import { damaged, storedObject, storedText } from './stored-cell.js';

/** The name of the table in errors. */
const TABLE = 'journal_event';

/**
 * The events of one SBI on one line, in order. That is one, an object; several, an array of objects, where lines of ours were joined to
 * one of another program, see `readLines` of the layout.
 *
 * @throws StorageError `DATABASE.CORRUPT`
 */
export function eventsIn(cell: unknown): readonly JournalEvent[] {
  const text = storedText(cell, TABLE);
  if (!text.startsWith('[')) return [storedObject(text, TABLE) as unknown as JournalEvent];
  const events = parse(text);
  const isFull = events.length > 0 && events.every((event) => typeof event === 'object' && event !== null);
  if (isFull) return events as readonly JournalEvent[];
  throw damaged(TABLE, 'has a list of what is no event');
}

function parse(text: string): readonly unknown[] {
  try {
    return JSON.parse(text) as readonly unknown[];
  } catch (error) {
    throw damaged(TABLE, 'has events that are no JSON', error);
  }
}

interface Row {
  readonly sbiId: string;
  readonly line: number;
  readonly offset: number;
  readonly event: unknown;
}

/** An event as text, and where it stands in the journal. */
interface Placed {
  readonly offset: number;
  readonly text: string;
}

/** Every persisted event in journal order: its JSON text, and before it what the columns say when they say other things. */
export function* storedEvents(handle: Database): Generator<string> {
  const rows = handle
    .prepare('SELECT sbi_id AS sbiId, line, "offset", event FROM journal_event ORDER BY line')
    .iterate() as IterableIterator<Row>;
  let line = 0;
  let placed: Placed[] = [];
  for (const row of rows) {
    if (row.line !== line) {
      yield* inOrder(placed);
      [line, placed] = [row.line, []];
    }
    placed.push(...placedIn(row));
  }
  yield* inOrder(placed);
}

function placedIn({ sbiId, line, offset, event }: Row): Placed[] {
  const events = eventsIn(event);
  const isSame = (said: JournalEvent): boolean => said.sbiId === sbiId && said.line === line;
  if (events[0]?.offset !== offset || !events.every(isSame))
    return [{ offset, text: `${sbiId} line ${line} offset ${offset}: ${String(event)}` }];
  if (events.length === 1) return [{ offset, text: String(event) }];
  return events.map((said) => ({ offset: said.offset, text: JSON.stringify(said) }));
}

function inOrder(placed: readonly Placed[]): string[] {
  return [...placed].sort((a, b) => a.offset - b.offset).map(({ text }) => text);
}
