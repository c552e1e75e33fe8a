import type { Severity } from '@deespec/domain';

/**
 * What a repair does about findings of a rule: `rebuilds` the rows that are named from the stored bytes; is prevented
 * (`prevents`), because rows derived from such bytes would be wrong or bytes could be lost; or `none`: it does nothing about
 * them, and they do not stand in its way.
 */
export type RepairRole = 'rebuilds' | 'prevents' | 'none';

/** What must hold between the rows of a database of ours, as data. */
export interface ConsistencyRule {
  readonly rule: string;
  readonly severity: Severity;
  readonly title: string;
  readonly why: string;
  /**
   * A query for the `sqlite3` shell, which is also what runs here: one row for each finding, with the columns `entity` (which
   * row or path) and `found`. Absent when a query cannot tell.
   */
  readonly sql?: string;
  /** What looks instead of a query, in words. */
  readonly code?: string;
  /** What mends it, as a command where there is one. */
  readonly fix: string;
  readonly repair: RepairRole;
}

/** One thing that a rule found, for people: nothing in it is longer than {@link LONGEST} characters. */
export interface Inconsistency {
  readonly rule: string;
  readonly entity: string;
  readonly found: string;
}

/** A rule that could not be looked at, and why. */
export interface Unchecked {
  readonly rule: string;
  readonly unchecked: string;
}

/** Characters of a text in a finding. */
export const LONGEST = 200;

/** What to do about rows that nothing in the database can tell the right value of. */
export const REBUILD =
  'nothing in the database can tell what is right: "deespec mode set file", move deespec.db away, then "deespec migrate" builds it anew from the files';

/** What to do about rows that are derived. */
export const REPAIR =
  'deespec repair --plan --output plan.json, read it, then deespec repair --apply plan.json';
