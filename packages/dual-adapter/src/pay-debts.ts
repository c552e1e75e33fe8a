import { displayPath, StorageError, type Debt, type FileDebt, type TreePath } from '@deespec/domain';

import { recordAudit } from './copy-audit.js';
import type { SyncStores } from './keeping.js';
import type { SyncReport } from './sync-report.js';
import { syncTrees } from './sync-trees.js';

/** So many debts of each store are paid in one part: no longer than others, who wait for it, can bear. */
const AT_ONCE = 16;

/**
 * Pays what each store owes to the other, each debt once, a part at a time. What stands there now is brought in step, not what was
 * written then: paying twice, late or in another order comes to the same.
 */
export class Payment {
  /** What was tried and is still owed. */
  readonly #left = new Set<string>();
  #problem: StorageError | undefined;

  constructor(private readonly stores: SyncStores) {}

  /** Goes on with the next debts. @returns true when there are none left to try */
  async part(): Promise<boolean> {
    const hadFiles = await this.#payFileDebts();
    const hadLedger = await this.#payLedgerDebts();
    return !hadFiles && !hadLedger;
  }

  /** @throws StorageError the first failure; what failed stays owed */
  end(): void {
    if (this.#problem !== undefined) throw this.#problem;
  }

  /**
   * What the files owe. Debts are read before the files are looked at: a change that comes later has a debt of its own, so
   * that these can be cleared whatever it was.
   */
  async #payFileDebts(): Promise<boolean> {
    const { files } = this.stores;
    const open = files.fileDebts().filter((id) => !this.#left.has(id));
    const debts = open.slice(0, AT_ONCE).flatMap((id) => files.fileDebt(id) ?? []);
    if (debts.length > 0) await this.#payTogether(debts);
    return open.length > 0;
  }

  async #payTogether(debts: readonly FileDebt[]): Promise<void> {
    const { files } = this.stores;
    const known = debts.flatMap(({ paths }) => (paths === 'unknown' ? [] : paths));
    const isKnown = debts.every(({ paths }) => paths !== 'unknown');
    // Deletions of ours look like those of others; their bytes are kept in either case.
    const options = isKnown ? { paths: [...new Set(known)], allowDeletions: true } : {};
    const report = await syncTrees(this.stores, options);
    // After the bytes: a broken chain is no reason to leave them behind.
    await recordAudit(
      this.stores,
      debts.flatMap((debt) => debt.audit),
    );
    const left = new Set([...report.unstable, ...report.failed.map(({ path }) => path)]);
    const isPaid = ({ paths }: FileDebt): boolean =>
      paths === 'unknown' ? left.size === 0 : !paths.some((path) => left.has(path));
    for (const debt of debts) {
      if (isPaid(debt)) files.clearFileDebt(debt.id);
      else this.#leave(debt.id, report);
    }
  }

  async #payLedgerDebts(): Promise<boolean> {
    const { ledger } = this.stores;
    const open = ledger
      .debts(AT_ONCE + this.#left.size)
      .filter((debt) => !this.#left.has(keyOf(debt)))
      .slice(0, AT_ONCE);
    if (open.length === 0) return false;
    const report = await syncTrees(this.stores, { paths: open.map(({ path }) => path) });
    for (const debt of open) {
      if (ledger.debtOf(debt.path)?.rev === debt.rev) this.#leave(keyOf(debt), report);
    }
    return true;
  }

  #leave(key: string, report: SyncReport): void {
    this.#left.add(key);
    const path = report.failed[0]?.path ?? report.unstable[0];
    if (path !== undefined) this.#problem ??= problemOf(report, path);
  }
}

/** Everything that is owed, at once. @throws StorageError as {@link Payment.end} */
export async function payDebts(stores: SyncStores): Promise<void> {
  const payment = new Payment(stores);
  while (!(await payment.part()));
  payment.end();
}

function keyOf({ rev, path }: Debt): string {
  return `${rev} ${path}`;
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
