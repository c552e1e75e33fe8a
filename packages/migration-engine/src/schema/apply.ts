import { isStorageError, StorageError, type SchemaScript, type SchemaStore } from '@deespec/domain';

import { planDown, planUp } from './plan.js';

/** What a change of schema did. */
export interface SchemaReport {
  /** Versions whose script ran, in the order in which they did. */
  readonly applied: readonly number[];
  /** Versions after a failure, none of which was attempted. */
  readonly notRun: readonly number[];
}

/**
 * Brings a database to a version, one transaction per script; nothing after a failure is attempted.
 *
 * @param to - absent: the newest
 * @throws StorageError those of `planUp`; `MIGRATION.FAILED` with a {@link SchemaReport} in `details`
 */
export function applyUp(store: SchemaStore, scripts: readonly SchemaScript[], to?: number): SchemaReport {
  return runEach(planUp(scripts, store.listApplied(), to), (script) => store.apply(script) === 'applied');
}

/**
 * Takes a database back to a version, likewise.
 *
 * @throws StorageError those of `planDown` and of `SchemaStore.revert`, with a {@link SchemaReport} in `details`
 */
export function applyDown(store: SchemaStore, scripts: readonly SchemaScript[], to: number): SchemaReport {
  return runEach(planDown(scripts, store.listApplied(), to), (script) => store.revert(script) === 'reverted');
}

function runEach(plan: readonly SchemaScript[], run: (script: SchemaScript) => boolean): SchemaReport {
  const applied: number[] = [];
  for (const [i, script] of plan.entries()) {
    try {
      if (run(script)) applied.push(script.version);
    } catch (error) {
      if (!isStorageError(error, 'MIGRATION.FAILED') && !isStorageError(error, 'SCHEMA.WOULD_LOSE'))
        throw error;
      const notRun = plan.slice(i + 1).map(({ version }) => version);
      throw new StorageError(error.code, error.message, {
        ...(error.hint === undefined ? {} : { hint: error.hint }),
        details: { ...error.details, applied, failed: script.version, notRun },
        cause: error,
      });
    }
  }
  return { applied, notRun: [] };
}
