import type { Decision } from './execution.js';
import type { SbiId } from './sbi.js';

/** One line of the tree's journal that belongs to an SBI, typed. */
export interface JournalEvent {
  readonly sbiId: SbiId;
  /** Number of picks of this SBI up to and including this line, at least 1. */
  readonly run: number;
  /** Line of the journal, counted from 1. */
  readonly line: number;
  /** Offset of the object's first byte in the journal. */
  readonly offset: number;
  /** UTC, fixed width, see `parseTime`. */
  readonly ts: string;
  readonly turn: number;
  readonly step: string;
  readonly isPick: boolean;
  readonly taskId?: string;
  readonly status?: string;
  readonly decision: Decision;
  readonly attempt?: number;
  readonly elapsedMs?: number;
  readonly error?: string;
  /** Priority and the like as the pick line says them, for provenance only. */
  readonly artifact?: string;
}

/**
 * So many events of one SBI are interpreted, the last ones: a week of a step a minute. Those before them are kept in the journal,
 * without rows. Source: docs/adr/0029.
 */
export const MOST_EVENTS = 10_000;

/** Where journal events wait until their SBI is derived: in memory, or in a temporary table when there are many. */
export interface JournalSpool {
  add(event: JournalEvent): void;
  /** The last {@link MOST_EVENTS} events of one SBI, in journal order; all when there are fewer. */
  eventsOf(sbiId: SbiId): readonly JournalEvent[];
  /** How many events one SBI has, those that `eventsOf` leaves out included. */
  countOf(sbiId: SbiId): number;
  /** How many of them are picks. */
  picksOf(sbiId: SbiId): number;
}
