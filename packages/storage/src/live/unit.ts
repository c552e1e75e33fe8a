import {
  holdsWords,
  searchedFiles,
  StorageError,
  timeFromDate,
  type AuditNote,
  type Change,
  type DerivedUnit,
  type Execution,
  type ExecutionKey,
  type SbiId,
  type SearchWord,
  type StoredConfig,
  type StoredSbi,
  type TreeView,
} from '@deespec/domain';
import { Overlay } from '@deespec/layout';
import { checks } from '@deespec/validators';

import { storedConfig, storedSbi } from './revision.js';

/** Who makes changes, for the audit log. */
export interface Actor {
  readonly user?: string;
  readonly sessionId?: string;
  readonly requestId?: string;
}

/** By whom changes are made. */
export interface Author {
  readonly actor: Actor;
  /** The id of the lines that it adds to a journal; absent: a fresh one. */
  readonly lineId?: string;
}

/** What a change says in the audit log. */
export interface Entry {
  readonly entityType: 'sbi' | 'execution' | 'config';
  readonly entityId: string;
  readonly action: string;
  readonly oldValue?: unknown;
  readonly newValue?: unknown;
}

/** One call of a unit of work. It may be carried out several times: on a look at the tree, and once for good. */
export type Step<T> = (unit: UnitOfWork) => T;

/** The tree with the changes of a unit of work on top. Lives as long as one look at the tree. */
export class UnitOfWork {
  readonly overlay: Overlay;
  readonly audit: AuditNote[] = [];

  constructor(
    view: TreeView,
    private readonly by: Author,
    readonly now: Date,
  ) {
    this.overlay = new Overlay(view, { checks, now: timeFromDate(now) });
  }

  /** Makes one change; it has one row in the audit log. @throws StorageError those of `planChange` */
  make(change: Change, lineId: string, entry: Entry): void {
    const replaced = this.overlay.make(change, this.by.lineId ?? lineId);
    const { oldValue, newValue, ...rest } = entry;
    this.audit.push({
      timestamp: timeFromDate(this.now),
      ...rest,
      ...(oldValue === undefined ? {} : { oldValue: JSON.stringify(oldValue) }),
      ...(newValue === undefined ? {} : { newValue: JSON.stringify(newValue) }),
      ...this.by.actor,
      ...replaced,
    });
  }

  /** @throws StorageError `SBI.NOT_FOUND` */
  getSbi(id: SbiId): StoredSbi {
    const sbi = this.findSbi(id);
    if (sbi !== undefined) return sbi;
    throw new StorageError('SBI.NOT_FOUND', `no SBI has the id ${id}`, {
      hint: '"deespec sbi list" shows those that exist',
      details: { id },
    });
  }

  findSbi(id: SbiId): StoredSbi | undefined {
    const sbi = this.derive(id)?.sbi;
    return sbi === undefined ? undefined : storedSbi(sbi);
  }

  /** Whether every word occurs in an SBI; false when it does not exist. */
  holdsWords(id: SbiId, words: readonly SearchWord[]): boolean {
    const derived = this.derive(id);
    if (derived?.sbi === undefined) return false;
    return holdsWords(words, {
      sbi: derived.sbi,
      files: searchedFiles(derived).map(({ path }) => path),
      read: (path) => Buffer.concat([...this.overlay.read(path)]),
    });
  }

  /** In the order of the list. */
  executionsOf(id: SbiId): readonly Execution[] {
    const executions = [...(this.derive(id)?.executions ?? [])];
    return executions.sort(
      (a, b) => a.run - b.run || a.turn - b.turn || Buffer.compare(Buffer.from(a.step), Buffer.from(b.step)),
    );
  }

  /** @throws StorageError `EXECUTION.NOT_FOUND` */
  getExecution({ sbiId, run, turn, step }: ExecutionKey): Execution {
    const found = this.executionsOf(sbiId).find(
      (execution) => execution.run === run && execution.turn === turn && execution.step === step,
    );
    if (found !== undefined) return found;
    throw new StorageError(
      'EXECUTION.NOT_FOUND',
      `${sbiId} has no execution run ${run}, turn ${turn}, step ${step}`,
      {
        hint: `"deespec execution list --sbi ${sbiId}" shows those that exist`,
        details: { sbiId, run, turn, step },
      },
    );
  }

  findConfig(key: string): StoredConfig | undefined {
    const found = this.overlay.config().find((entry) => entry.key === key);
    return found === undefined ? undefined : storedConfig(found);
  }

  private derive(id: SbiId): DerivedUnit | undefined {
    return this.overlay.derive(id);
  }
}
