import { isStorageError, StorageError, timeFromDate } from '@deespec/domain';
import type { SyncResult, WatchOptions } from '@deespec/storage';
import { formatCount, localTime, renderFields } from './render.js';
import { countFields, passLine, renderLeft, toSyncData, withRescued } from './render-sync.js';
import type { SyncCounts } from './render-sync.js';
import { safeText } from './safe-text.js';
import type { Context } from './session.js';

/** What the passes of a watch did together. */
interface WatchTotals extends SyncCounts, Pick<SyncResult, 'failed' | 'unstable' | 'debts'> {
  readonly mode: SyncResult['mode'] | null;
  /** Those that did something, and the first. `failed`, `unstable` and `debts` are those of the last. */
  readonly passes: number;
}

/** How a watch ended. */
interface WatchEnd {
  readonly totals: WatchTotals;
  readonly error: StorageError;
}

const nothing: WatchTotals = {
  mode: null,
  passes: 0,
  imported: 0,
  projected: 0,
  removedFromDatabase: 0,
  removedFromFiles: 0,
  merged: 0,
  wrote: 0,
  conflicts: [],
  failed: [],
  unstable: [],
  debts: 0,
};

/** What is told while the stores are kept in step, and what ends it. */
type WatchHooks = Required<Pick<WatchOptions, 'onPass' | 'onProblem' | 'signal'>>;

/**
 * Keeps both stores in step until a signal or an error ends it; each pass that did something has a line on standard error.
 *
 * @param run - what keeps them in step, such as `watchTree`
 * @returns with the error that ended it: `INTERRUPTED` after a signal, which is the usual end
 */
export async function keepInStep(
  { terminal, signal }: Context,
  run: (hooks: WatchHooks) => Promise<void>,
): Promise<WatchEnd> {
  let totals = nothing;
  const onPass = (pass: SyncResult): void => {
    const result = withRescued(pass);
    totals = add(totals, result);
    terminal.note(`${localTime(timeFromDate(new Date()))} sync: ${passLine(result)}`);
    const left = renderLeft(result).trimEnd();
    if (left !== '') terminal.note(left);
  };
  const onProblem = ({ code, message }: StorageError): void =>
    terminal.note(`not in step yet: ${safeText(message)} (${code})`);
  try {
    await run({ signal, onPass, onProblem });
    return { totals, error: signal.aborted ? (signal.reason as StorageError) : toldToStop() };
  } catch (error) {
    if (!isStorageError(error)) throw error;
    return { totals, error };
  }
}

function toldToStop(): StorageError {
  return new StorageError('INTERRUPTED', 'told to stop through the control socket', {
    hint: 'deespec start runs it again',
  });
}

function add(sum: WatchTotals, pass: SyncResult): WatchTotals {
  return {
    mode: pass.mode,
    passes: sum.passes + 1,
    imported: sum.imported + pass.imported,
    projected: sum.projected + pass.projected,
    removedFromDatabase: sum.removedFromDatabase + pass.removedFromDatabase,
    removedFromFiles: sum.removedFromFiles + pass.removedFromFiles,
    merged: sum.merged + pass.merged,
    wrote: sum.wrote + pass.wrote,
    conflicts: [...new Set([...sum.conflicts, ...pass.conflicts])],
    failed: pass.failed,
    unstable: pass.unstable,
    debts: pass.debts,
  };
}

/** Totals in a JSON document: paths as text. */
export function toWatchData(totals: WatchTotals) {
  return toSyncData(totals);
}

/** Totals for people. */
export function renderWatch(totals: WatchTotals): string {
  return renderFields([
    ['passes', formatCount(totals.passes)],
    ...countFields(totals),
    ['owed', formatCount(totals.debts)],
  ]);
}
