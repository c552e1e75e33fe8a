import type { AuditEntry, DerivedUnit, TreePath } from '@deespec/domain';

import { unitRows, type UnitRows } from './index-rows.js';
import type { UnitSource, UnitView } from './unit-index.js';

/** Where {@link DerivedUnits} come from. */
export interface DerivedSource {
  /** Derives the whole tree as it is now. */
  derive(): Iterable<DerivedUnit>;
  /** The content at a path now. */
  read(path: TreePath): Iterable<Buffer>;
  /** Records of the changes through the API. */
  audit(): Iterable<AuditEntry>;
}

/**
 * Units that are derived at the first query and kept until {@link DerivedUnits.invalidate}: for stores in memory, which know of every
 * change.
 */
export class DerivedUnits implements UnitSource {
  #units: readonly UnitRows[] | undefined;

  constructor(private readonly source: DerivedSource) {}

  /** Makes the next query derive the tree again. */
  invalidate(): void {
    this.#units = undefined;
  }

  async look(): Promise<UnitView> {
    const units = (this.#units ??= [...this.source.derive()].map(unitRows));
    const all = (): Iterable<UnitRows> => units;
    return {
      sbis: all,
      transactions: all,
      settings: all,
      of: (id) => units.filter(({ sbi }) => sbi?.id === id),
    };
  }

  read(path: TreePath): Iterable<Buffer> {
    return this.source.read(path);
  }

  audit(): Iterable<AuditEntry> {
    return this.source.audit();
  }
}
