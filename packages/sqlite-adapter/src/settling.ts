import {
  DIRECTORY_SHA256,
  displayPath,
  invariant,
  parentPath,
  type Settlement,
  type TreePath,
} from '@deespec/domain';

import type { EntryRows } from './entry-rows.js';
import type { OutboxRows } from './outbox-rows.js';
import type { ProjectionRows } from './projection-rows.js';
import type { RowChanges, RowEdits } from './row-edits.js';

/** The rows that a settlement touches. */
export interface SettlingParts {
  readonly entries: EntryRows;
  readonly edits: RowEdits;
  readonly projections: ProjectionRows;
  readonly outbox: OutboxRows;
}

/**
 * Carries out settlements: removals first, what a directory holds before the directory, then all others, a directory before
 * what it holds. Each only when the database still has what it was decided on. Runs in one transaction.
 *
 * @returns the paths that were left alone
 */
export function settleAll(
  parts: SettlingParts,
  settlements: readonly Settlement[],
  changes: RowChanges,
): TreePath[] {
  const sorted = [...settlements].sort((a, b) => (orderOf(a.path) < orderOf(b.path) ? -1 : 1));
  const removals = sorted.filter(({ change }) => change.op === 'remove').reverse();
  const others = sorted.filter(({ change }) => change.op !== 'remove');
  const left: TreePath[] = [];
  for (const settlement of [...removals, ...others]) {
    if (settleOne(parts, settlement, changes) === 'left') left.push(settlement.path);
  }
  return left;
}

function settleOne(parts: SettlingParts, settlement: Settlement, changes: RowChanges): 'settled' | 'left' {
  const { path, projection, clears } = settlement;
  if (!isAsExpected(parts.entries, settlement) || !fits(parts.entries, settlement)) return 'left';
  change(parts, settlement, changes);
  if (projection === undefined) parts.projections.delete(path);
  else {
    invariant(projection.path === path, `a projection is that of its path: ${displayPath(path)}`);
    parts.projections.put(projection);
  }
  if (clears !== undefined) parts.outbox.clear(path, clears);
  return 'settled';
}

function isAsExpected(entries: EntryRows, { path, expected }: Settlement): boolean {
  const found = entries.find(path);
  if (found === undefined || expected === undefined) return found === expected;
  return found.kind === expected.kind && found.mode === expected.mode && found.sha256 === expected.sha256;
}

/** True when the tree has a place for what is to become of a path: a directory above it, nothing left below it. */
function fits(entries: EntryRows, { path, change: { op, ...change } }: Settlement): boolean {
  if (op === 'none' || op === 'date') return true;
  const becomesDirectory = 'stat' in change && change.stat.kind === 'directory';
  if (!becomesDirectory && entries.count(path) > 0) return false;
  const parent = parentPath(path) as TreePath | '';
  return op === 'remove' || parent === '' || entries.find(parent)?.kind === 'directory';
}

function change({ entries, edits }: SettlingParts, settlement: Settlement, changes: RowChanges): void {
  const { path, change: wanted } = settlement;
  if (wanted.op === 'remove' && entries.find(path) !== undefined) edits.remove(path, changes);
  if (wanted.op === 'date') edits.date(path, wanted.mtimeNs, changes);
  if (wanted.op !== 'import') return;
  const { stat, content } = wanted;
  invariant(stat.path === path, `what is imported is that of its path: ${displayPath(path)}`);
  const empty = { bytes: Buffer.alloc(0), sha256: DIRECTORY_SHA256 };
  edits.put({ stat, content: stat.kind === 'directory' ? empty : content }, changes);
}

/** With the separator below every other byte, what a directory holds follows it. */
function orderOf(path: TreePath): string {
  return path.replaceAll('/', '\0');
}
