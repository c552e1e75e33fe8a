import { displayPath, StorageError, type FileDebt, type TreePath } from '@deespec/domain';

import { recordAudit } from './copy-audit.js';
import type { SyncStores } from './keeping.js';
import type { SyncReport } from './sync-report.js';
import { syncTrees } from './sync-trees.js';

/** So many debts are paid in one go. */
const AT_ONCE = 100;

/**
 * Pays what each store owes to the other, each debt once. What stands there now is brought in step, not what was written
 * then: paying twice, late or in another order comes to the same.
 *
 * @throws StorageError the first failure, when everything else is paid; what failed stays owed
 */
export async function payDebts(stores: SyncStores): Promise<void> {
  const failed = [await payFileDebts(stores), await payLedgerDebts(stores)];
  const problem = failed.find((error) => error !== undefined);
  if (problem !== undefined) throw problem;
}

/**
 * What the files owe. Debts are read before the files are looked at: a change that comes later has a debt of its own, so
 * that these can be cleared whatever it was.
 */
async function payFileDebts(stores: SyncStores): Promise<StorageError | undefined> {
  let problem: StorageError | undefined;
  for (const tried = new Set<string>(); ;) {
    const open = stores.files.fileDebts().filter(({ id }) => !tried.has(id));
    const debts = open.slice(0, AT_ONCE);
    if (debts.length === 0) return problem;
    for (const { id } of debts) tried.add(id);
    problem = (await payTogether(stores, debts)) ?? problem;
  }
}

async function payTogether(
  stores: SyncStores,
  debts: readonly FileDebt[],
): Promise<StorageError | undefined> {
  const { files } = stores;
  const known = debts.flatMap(({ paths }) => (paths === 'unknown' ? [] : paths));
  const isKnown = debts.every(({ paths }) => paths !== 'unknown');
  // Deletions of ours look like those of others; their bytes are kept in either case.
  const report = await syncTrees(stores, isKnown ? { paths: [...new Set(known)], allowDeletions: true } : {});
  // After the bytes: a broken chain is no reason to leave them behind.
  await recordAudit(
    stores,
    debts.flatMap((debt) => debt.audit),
  );
  const left = new Set([...report.unstable, ...report.failed.map(({ path }) => path)]);
  const isPaid = ({ paths }: FileDebt): boolean =>
    paths === 'unknown' ? left.size === 0 : !paths.some((path) => left.has(path));
  const paid = debts.filter(isPaid);
  for (const debt of paid) files.clearFileDebt(debt.id);
  return paid.length === debts.length ? undefined : problemOf(report, [...left][0]!);
}

async function payLedgerDebts(stores: SyncStores): Promise<StorageError | undefined> {
  const { ledger } = stores;
  let problem: StorageError | undefined;
  for (const tried = new Set<string>(); ;) {
    const open = ledger.debts(AT_ONCE + tried.size).filter((debt) => !tried.has(`${debt.rev} ${debt.path}`));
    if (open.length === 0) return problem;
    for (const { rev, path } of open) tried.add(`${rev} ${path}`);
    const report = await syncTrees(stores, { paths: open.map(({ path }) => path) });
    const left = report.failed[0]?.path ?? report.unstable[0];
    if (left !== undefined) problem ??= problemOf(report, left);
  }
}

function problemOf(report: SyncReport, path: TreePath): StorageError {
  const failure = report.failed[0];
  const message = failure?.message ?? `"${displayPath(path)}" keeps changing while it is brought in step`;
  return new StorageError(failure?.code ?? 'FILE.UNSTABLE', message, {
    hint: 'nothing is lost: it is tried again; "deespec status" counts what is owed',
    details: {
      path: displayPath(path),
      failed: report.failed.length,
      unstable: report.unstable.length,
    },
  });
}
