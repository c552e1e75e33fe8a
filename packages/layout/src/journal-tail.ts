import type { Checks, JournalEvent, SbiId } from '@deespec/domain';

import { JournalReader } from './journal-event.js';
import { readLines } from './journal-lines.js';
import type { JournalPlace } from './journal-lines.js';
import { severityOf } from './rules.js';

/** What {@link readJournalTail} needs. */
export interface TailOptions {
  readonly checks: Checks;
  /** Where the first of the chunks begins. */
  readonly start: JournalPlace;
  /** How many picks of an SBI there are before that place. */
  readonly picksOf: (sbiId: SbiId) => number;
  /** Called for each event, in journal order. */
  readonly take: (event: JournalEvent) => void;
}

/** The complete lines of a journal from some place on. */
export interface JournalTail {
  /** False when a line is not interpreted: the journal is in quarantine then. */
  readonly isClean: boolean;
  /** Where the line behind the last complete one begins. */
  readonly end: JournalPlace;
}

/**
 * Reads a journal on from where it was read to before: lines that end in LF. A last line without one may still be written,
 * so it is left for the next time.
 *
 * @param chunks - the journal's bytes from `start` on
 */
export function readJournalTail(
  chunks: Iterable<Buffer>,
  { checks, start, picksOf, take }: TailOptions,
): JournalTail {
  const reader = new JournalReader(checks, picksOf);
  let isClean = true;
  let end = start;
  for (const line of readLines(chunks, start)) {
    if (!line.isComplete) break;
    const { event, problems } = reader.read(line);
    if (event !== undefined) take(event);
    isClean = isClean && !problems.some((problem) => severityOf(problem) === 'error');
    end = { line: line.number + 1, offset: line.end };
  }
  return { isClean, end };
}
