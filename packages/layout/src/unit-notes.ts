import type { Finding, TreePath } from '@deespec/domain';

import { findingOf, reasonOf, severityOf } from './rules.js';
import type { Problem } from './rules.js';

/** Collects the findings of one unit, and which of its entries are not interpreted. */
export class UnitNotes {
  readonly findings: Finding[] = [];
  readonly quarantined = new Map<TreePath, string>();

  /** @param entity - the SBI's id where there is one */
  constructor(private readonly entity?: string) {}

  /** Notes a problem of the entry at `path`; an `error` quarantines it. */
  add(path: TreePath, problem: Problem): void {
    this.findings.push(findingOf(problem, path, this.entity));
    if (severityOf(problem) === 'error' && !this.quarantined.has(path)) {
      this.quarantined.set(path, reasonOf(problem));
    }
  }

  addAll(path: TreePath, problems: readonly Problem[]): void {
    for (const problem of problems) this.add(path, problem);
  }
}
