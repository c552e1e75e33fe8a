import { parentPath, type StorageError, type TreePath } from '@deespec/domain';

import { copyAudit } from './copy-audit.js';
import { isClean } from './in-step.js';
import type { SyncStores } from './keeping.js';
import { pair } from './scan-order.js';
import { SyncPass, type SyncOptions } from './sync-pass.js';
import type { SyncReport } from './sync-report.js';

/**
 * Brings files and database in step: the whole tree, or the paths that are named. Idempotent: a second one writes nothing; one
 * that was cut off by a crash is completed by the next. Streams: memory does not grow with the tree, but with what is deleted.
 *
 * A file is taken for unchanged without being read when nothing that `lstat` says differs from what was recorded and it had
 * been at rest for two seconds by then. What another program is writing at the moment is imported as it stands, because it
 * cannot be told from what is finished, and imported again when it has changed; nothing of such a version is final.
 *
 * Failures of single paths are reported and stop nothing. The whole tree: the chains of audit records are completed, too.
 *
 * @throws StorageError `SYNC.MASS_DELETION` when everything else is done and more than 20 entries and more than a tenth of
 *   them vanished: none of those was deleted; `details.report` is the report
 * @throws StorageError `AUDIT.BROKEN` when both chains have different records, after the trees are in step
 * @throws StorageError `INTERRUPTED`; `SQLITE.BUSY` and `DATABASE.*`, which are no fault of one path; those of scanning the files
 */
export async function syncTrees(stores: SyncStores, options: SyncOptions = {}): Promise<SyncReport> {
  const pass = new SyncPass(stores, options);
  const entries =
    options.paths === undefined
      ? await takeTree(pass, stores, options)
      : await takePaths(pass, options.paths);
  const refused = await pass.finish(entries);
  const isWhole = options.paths === undefined && options.below === undefined;
  if (isWhole && options.dryRun !== true) pass.tally.wrote(await copyAudit(stores));
  const report = pass.tally.report();
  if (refused !== undefined) throw withReport(refused, report);
  return report;
}

/** @returns how many entries the database has, when all were looked at */
async function takeTree(
  pass: SyncPass,
  { files, ledger }: SyncStores,
  { below }: SyncOptions,
): Promise<number | undefined> {
  let entries = 0;
  if (below !== undefined) await pass.take(below);
  for (const { path, left, right } of pair(files.scan(below), ledger.account(below))) {
    if (right?.entry !== undefined) entries += 1;
    if (path === below) continue;
    if (isClean(left, right)) pass.skip();
    else await pass.take(path);
  }
  return below === undefined ? entries : undefined;
}

/** The directories above the paths too: their times changed with them. */
async function takePaths(pass: SyncPass, paths: readonly TreePath[]): Promise<undefined> {
  for (const path of paths) {
    await pass.take(path);
    const parent = parentPath(path);
    if (parent !== '') pass.touch(parent as TreePath);
  }
}

function withReport(error: StorageError, report: SyncReport): StorageError {
  return Object.assign(error, { details: { ...error.details, report } });
}
