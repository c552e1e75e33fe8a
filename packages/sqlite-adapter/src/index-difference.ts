import type { TreePath } from '@deespec/domain';

import type { RowDifference } from './index-rows.js';

/** Rules whose findings are rows that can be derived again. */
export type IndexRule =
  | 'entry-state'
  | 'index-sbi'
  | 'index-execution'
  | 'index-config'
  | 'index-audit'
  | 'index-journal'
  | 'index-search';

/** A derived row that is not what the stored bytes say, by its key. */
export interface IndexRow extends Pick<RowDifference, 'key' | 'is' | 'sbiId'> {
  readonly rule: IndexRule;
  readonly table: RowDifference['table'] | 'tree_entry' | 'journal_event' | 'search_item';
  /** The unit that it is derived from; absent when no unit derives it. */
  readonly unit?: TreePath;
  /** Where a row without unit says that it came from. */
  readonly path?: Buffer;
}

/** A row of the index that is not what the stored bytes derive to. */
export interface IndexDifference {
  /** Table and key. */
  readonly where: string;
  readonly expected: string;
  readonly actual: string;
  /** Absent for what is not derived: it cannot be derived again. */
  readonly row?: IndexRow;
}
