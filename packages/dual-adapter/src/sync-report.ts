import type { ErrorCode, TreePath } from '@deespec/domain';

import type { Decision } from './decide.js';

/** A path that could not be brought in step; its debt, when it has one, stays. */
export interface SyncFailure {
  readonly path: TreePath;
  readonly code: ErrorCode;
  readonly message: string;
}

/** What a synchronisation did, in paths. */
export interface SyncReport {
  readonly scanned: number;
  readonly unchanged: number;
  /** Files into the database. */
  readonly imported: number;
  /** Database into the files. */
  readonly projected: number;
  readonly removedFromDatabase: number;
  readonly removedFromFiles: number;
  /** Journals whose lines were brought together. */
  readonly merged: number;
  /** Ids of the conflicts that were kept, or had been kept before with the same bytes. */
  readonly conflicts: readonly string[];
  /** What kept changing; it is looked at again at the next synchronisation. */
  readonly unstable: readonly TreePath[];
  readonly failed: readonly SyncFailure[];
  /**
   * Changes of either store, projections and audit records included; 0 when both were in step. Not counted: that a file
   * was looked at again and has not changed since it was young.
   */
  readonly wrote: number;
}

/** What is decided for one path. */
export interface SyncAction {
  readonly path: TreePath;
  readonly action: Decision['action'];
  readonly direction: 'to-database' | 'to-files' | 'both' | 'none';
  /** In words. */
  readonly reason: string;
  /** In which store the version stands, or stood, that is kept as a conflict. */
  readonly conflict?: 'files' | 'sqlite';
}

const directions = {
  nothing: 'none',
  note: 'to-database',
  forget: 'to-database',
  import: 'to-database',
  write: 'to-files',
  merge: 'both',
  'remove-entry': 'to-database',
  'remove-file': 'to-files',
} as const satisfies Record<Decision['action'], SyncAction['direction']>;

/** A decision as it is reported. */
export function actionOf(path: TreePath, decision: Decision): SyncAction {
  const { action, reason } = decision;
  const conflict = 'keep' in decision && decision.keep !== undefined ? { conflict: decision.keep } : {};
  return { path, action, direction: directions[action], reason, ...conflict };
}

/** What a report counts. */
type Counter =
  'scanned' | 'unchanged' | 'imported' | 'projected' | 'removedFromDatabase' | 'removedFromFiles' | 'merged';

/** Gathers a report. */
export class Tally {
  readonly #counts = new Map<Counter | 'wrote', number>();
  readonly #conflicts = new Set<string>();
  readonly #unstable = new Set<TreePath>();
  readonly #failed = new Map<TreePath, SyncFailure>();

  count(counter: Counter): void {
    this.#add(counter, 1);
  }

  wrote(changes = 1): void {
    this.#add('wrote', changes);
  }

  conflict(id: string): void {
    this.#conflicts.add(id);
  }

  unstable(path: TreePath): void {
    this.#unstable.add(path);
  }

  failed(failure: SyncFailure): void {
    this.#failed.set(failure.path, failure);
  }

  /** True when nothing is left to do for any of the paths. */
  isSettled(paths: readonly TreePath[]): boolean {
    return paths.every((path) => !this.#failed.has(path) && !this.#unstable.has(path));
  }

  report(): SyncReport {
    const get = (counter: Counter | 'wrote'): number => this.#counts.get(counter) ?? 0;
    return {
      scanned: get('scanned'),
      unchanged: get('unchanged'),
      imported: get('imported'),
      projected: get('projected'),
      removedFromDatabase: get('removedFromDatabase'),
      removedFromFiles: get('removedFromFiles'),
      merged: get('merged'),
      conflicts: [...this.#conflicts],
      unstable: [...this.#unstable],
      failed: [...this.#failed.values()],
      wrote: get('wrote'),
    };
  }

  #add(counter: Counter | 'wrote', amount: number): void {
    this.#counts.set(counter, (this.#counts.get(counter) ?? 0) + amount);
  }
}
