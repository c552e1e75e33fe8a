import {
  isStorageError,
  StorageError,
  type DerivedUnit,
  type Finding,
  type JournalSpool,
  type LoadEntry,
  type TreeLoader,
  type TreeStat,
} from '@deespec/domain';
import type * as Layout from '@deespec/layout';
import type { TreeContext, TreeUnit } from '@deespec/layout';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { interrupted, isStored, type MatchOptions, type Tally } from './match.js';
import { UnitContents, type SourceStat } from './source.js';
import { removeVanished } from './vanished.js';

/** What {@link loadTree} takes. */
export interface LoadOptions extends MatchOptions {
  readonly target: TreeLoader;
  readonly spool: JournalSpool;
  /** Units per transaction, at least 1. */
  readonly batchSize: number;
  /** The report says whether any entry was touched since this time (nanoseconds since 1970 UTC). */
  readonly touchedSinceNs: bigint;
}

/** What {@link loadTree} did. */
export interface LoadReport {
  readonly scanned: Tally;
  readonly written: Tally & { readonly rows: number; readonly removed: number };
  readonly findings: readonly Finding[];
  /** Entries kept but not interpreted. */
  readonly quarantined: number;
  /** True when an entry may have changed between being parsed and being stored. */
  readonly touched: boolean;
}

interface Running {
  scanned: { entries: number; bytes: number };
  written: { entries: number; bytes: number; rows: number; removed: number };
  findings: Finding[];
  quarantined: number;
  touched: boolean;
}

/**
 * Makes `target` hold what `source` holds: scans, derives, validates and writes only what differs, units in scan order,
 * one transaction for each batch. Memory holds one batch.
 *
 * @throws StorageError those of reading the source; `TREE.UNSTABLE` when an entry vanished while a large unit was read;
 *   `INTERRUPTED` between two batches
 */
export async function loadTree(options: LoadOptions): Promise<LoadReport> {
  const { source, target, spool } = options;
  const done: Running = {
    scanned: { entries: 0, bytes: 0 },
    written: { entries: 0, bytes: 0, rows: 0, removed: 0 },
    findings: [],
    quarantined: 0,
    touched: false,
  };
  // Loaded here: class-validator alone takes 100 ms, and the schema half of this package needs neither.
  const [layout, { checks }] = await Promise.all([import('@deespec/layout'), import('@deespec/validators')]);
  const context = target.batch(() => layout.readContext(source, { checks, spool }));
  let batch: TreeUnit[] = [];
  const flush = async (): Promise<void> => {
    target.batch(() => batch.forEach((unit) => loadUnit({ unit, layout, context, options, done })));
    batch = [];
    options.onProgress?.({ ...done.scanned });
    await nextTurn();
    if (options.signal?.aborted === true) throw interrupted();
  };
  for (const unit of layout.groupUnits(source.scan())) {
    batch.push(unit);
    if (batch.length >= options.batchSize) await flush();
  }
  await flush();
  if (target.count() !== done.scanned.entries) done.written.removed = removeVanished(source, target);
  return done;
}

interface UnitWork {
  readonly unit: TreeUnit;
  readonly layout: typeof Layout;
  readonly context: TreeContext;
  readonly options: LoadOptions;
  readonly done: Running;
}

function loadUnit(work: UnitWork): void {
  const { unit, context, options, done } = work;
  const contents = new UnitContents(options.source);
  const changed: TreeStat[] = [];
  const entries: TreeStat[] = [];
  for (const stat of unit.entries as readonly SourceStat[]) {
    if (stat.ctimeNs >= options.touchedSinceNs) done.touched = true;
    const state = stateOf(stat, contents, options);
    if (state === 'vanished') continue;
    entries.push(stat);
    if (state === 'changed') changed.push(stat);
  }
  if (entries.length === 0) return;
  const derived = work.layout.deriveUnit({ ...unit, entries }, context, contents);
  const written = options.target.writeUnit(derived, loads(changed, contents));
  done.written.entries += written.entries;
  done.written.bytes += written.bytes;
  done.written.rows += written.rows;
  report(derived, done);
}

function report(unit: DerivedUnit, done: Running): void {
  done.scanned.entries += unit.entries.length;
  for (const { size } of unit.entries) done.scanned.bytes += size;
  for (const finding of unit.findings) done.findings.push(finding);
  done.quarantined += unit.quarantined.size;
}

/** Whether the stored entry still is what stands in the source. Reads small contents, which are kept for the write. */
function stateOf(
  stat: SourceStat,
  contents: UnitContents,
  options: LoadOptions,
): 'same' | 'changed' | 'vanished' {
  try {
    if (isStored(stat, contents, options)) return 'same';
    // Read now what fits, so that a file that is gone is left out before anything of its unit is written.
    if (stat.kind !== 'directory') contents.load(stat);
    return 'changed';
  } catch (error) {
    if (isStorageError(error, 'FILE.NOT_FOUND')) return 'vanished';
    throw error;
  }
}

function* loads(changed: readonly TreeStat[], contents: UnitContents): Generator<LoadEntry> {
  for (const stat of changed) {
    try {
      yield { stat, content: contents.load(stat) };
    } catch (error) {
      if (!isStorageError(error, 'FILE.NOT_FOUND')) throw error;
      throw new StorageError('TREE.UNSTABLE', 'the tree changed while it was read', {
        hint: 'a program is writing to the tree: stop it, then run the command again',
        cause: error,
      });
    }
  }
}
