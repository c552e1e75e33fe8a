import { displayPath } from '@deespec/domain';
import type { SyncAction, SyncResult } from '@deespec/storage';
import { formatCount, formatNumberOf, renderFields, renderList } from './render.js';
import type { Field } from './render.js';
import { conflictWarning } from './render-mode.js';
import { safeText } from './safe-text.js';

/** How many paths a pass, or several of them, changed. */
export type SyncCounts = Pick<
  SyncResult,
  'imported' | 'projected' | 'removedFromDatabase' | 'removedFromFiles' | 'merged' | 'wrote'
> & {
  /** Ids of the conflicts that were kept. */
  readonly conflicts: readonly string[];
};

/** A pass with every conflict it kept in one list: those that were decided and those that were rescued. */
export function withRescued(result: SyncResult): SyncResult {
  return { ...result, conflicts: [...new Set([...result.conflicts, ...result.rescued])] };
}

/** A pass in a JSON document: its paths as text. */
export function toSyncData<T extends Pick<SyncResult, 'failed' | 'unstable'>>(result: T) {
  return {
    ...result,
    unstable: result.unstable.map(displayPath),
    failed: result.failed.map((failure) => ({ ...failure, path: displayPath(failure.path) })),
  };
}

/** What would be done to one path, in a JSON document. */
export function toActionData({ path, action, direction, reason, conflict }: SyncAction) {
  return { path: displayPath(path), direction, action, reason, conflict: conflict ?? null };
}

const directions: Readonly<Record<SyncAction['direction'], string>> = {
  'to-database': 'files -> database',
  'to-files': 'database -> files',
  both: 'both ways',
  none: '-',
};

/** What would be done to one path, on one line. */
export function renderAction({ path, action, direction, reason, conflict }: SyncAction): string {
  // No bytes go anywhere: what the files hold is looked at and recorded.
  const isRecord = action === 'note' || action === 'forget';
  const label = isRecord ? 'only recorded' : directions[direction];
  const kept =
    conflict === undefined ? '' : `; the version of the ${storeName(conflict)} is kept as a conflict`;
  return `${label.padEnd(17)}  ${safeText(`${displayPath(path)}: ${reason}${kept}`)}\n`;
}

/** A store for people. */
export function storeName(store: 'files' | 'sqlite'): string {
  return store === 'files' ? 'files' : 'database';
}

/** What one pass did, on one line: only what it did. */
export function passLine(result: SyncResult): string {
  const parts = [
    ...countsOf(result).flatMap(([label, count]) => (count === 0 ? [] : [`${formatCount(count)} ${label}`])),
    ...(result.failed.length === 0 ? [] : [`${formatCount(result.failed.length)} failed`]),
    ...(result.unstable.length === 0 ? [] : [`${formatCount(result.unstable.length)} still changing`]),
  ];
  return parts.join(', ') || 'both stores are in step';
}

/** The result of one pass. */
export function renderSync(result: SyncResult): string {
  return [
    `${isLeft(result) ? 'not everything is in step' : 'both stores are in step'} (mode ${result.mode})\n`,
    renderFields([
      ['looked at', formatNumberOf(result.scanned, 'path')],
      ...countFields(result),
      ['owed', result.debts === 0 ? '' : formatNumberOf(result.debts, 'change')],
    ]),
    renderLeft(result),
  ].join('');
}

/** Counts as fields. */
export function countFields(counts: SyncCounts): readonly Field[] {
  return countsOf(counts).map(([label, count]) => [label, formatCount(count)]);
}

function countsOf(result: SyncCounts): readonly (readonly [string, number])[] {
  return [
    ['into the database', result.imported],
    ['into the files', result.projected],
    ['removed from the database', result.removedFromDatabase],
    ['removed from the files', result.removedFromFiles],
    ['journals merged', result.merged],
    ['new conflicts', result.conflicts.length],
  ];
}

/** The paths that a pass left behind. */
export function renderLeft({ failed, unstable }: Pick<SyncResult, 'failed' | 'unstable'>): string {
  return (
    renderList(
      'failed, tried again by the next pass:',
      failed.map(({ path, code, message }) => `${displayPath(path)}: ${message} (${code})`),
    ) + renderList('still changing, looked at again by the next pass:', unstable.map(displayPath))
  );
}

/** True when a pass left paths behind. */
export function isLeft({ failed, unstable }: Pick<SyncResult, 'failed' | 'unstable'>): boolean {
  return failed.length > 0 || unstable.length > 0;
}

/** What somebody has to look at after a pass. */
export function syncWarnings(result: Pick<SyncResult, 'conflicts' | 'failed' | 'unstable'>): string[] {
  const left = result.failed.length + result.unstable.length;
  return [
    ...(left === 0
      ? []
      : [`${formatNumberOf(left, 'path')} could not be brought into step; nothing of it is lost`]),
    ...conflictWarning(result.conflicts),
  ];
}
