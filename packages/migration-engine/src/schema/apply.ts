import { isStorageError, StorageError, type SchemaScript, type SchemaStore } from '@deespec/domain';

import { planUp } from './plan.js';

/** What an upgrade did. */
export interface SchemaReport {
  readonly applied: readonly number[];
  /** Versions after the failure, none of which was attempted. */
  readonly notRun: readonly number[];
}

/**
 * Brings a database to the newest version, one transaction per version; nothing after a failure is attempted.
 *
 * @throws StorageError those of `planUp`; `MIGRATION.FAILED` with a {@link SchemaReport} in `details`
 */
export function applyUp(store: SchemaStore, scripts: readonly SchemaScript[]): SchemaReport {
  const applied: number[] = [];
  const pending = planUp(scripts, store.listApplied());
  for (const [i, script] of pending.entries()) {
    try {
      if (store.apply(script) === 'applied') applied.push(script.version);
    } catch (error) {
      if (!isStorageError(error, 'MIGRATION.FAILED')) throw error;
      const notRun = pending.slice(i + 1).map(({ version }) => version);
      throw new StorageError('MIGRATION.FAILED', error.message, {
        ...(error.hint === undefined ? {} : { hint: error.hint }),
        details: { ...error.details, applied, failed: script.version, notRun },
        cause: error,
      });
    }
  }
  return { applied, notRun: [] };
}
