import { isSbiId, type SbiId, type TreePath, type TreeReader, type TreeStat } from '@deespec/domain';
import { classifyPath, deriveUnit, GO_STATE, groupUnits, JOURNAL, type TreeContext } from '@deespec/layout';

import type { JournalState } from './journal-state.js';
import type { RowChanges } from './row-edits.js';
import { contextWithout, type JournalChange, type StoredJournal } from './stored-journal.js';
import type { UnitWriter } from './unit-writer.js';

const ETC_WORKFLOW = 'etc/workflow.yaml' as TreePath;

/** What the index depended on before a change. */
export interface Ground {
  readonly journal: JournalState;
  /** The SBI in work. */
  readonly wip: SbiId | undefined;
}

/**
 * Derives index rows after a change, of those units alone whose rows can be others than before: each once, whatever the
 * number of its changed paths. Every statement runs in the caller's transaction.
 *
 * A unit depends on its own bytes, on the journal's events of its SBI, on `var/state.json` when that names its SBI, and
 * `etc/workflow.yaml` on the keys of `workflow.json`. Source: `TreeContext` of `@deespec/layout`.
 */
export class Derivation {
  constructor(
    private readonly tree: TreeReader,
    private readonly writer: UnitWriter,
    private readonly journal: StoredJournal,
  ) {}

  /** To be asked before a change. */
  ground(): Ground {
    const journal = this.journal.prepare();
    return { journal, wip: this.context().goState?.wip };
  }

  /** Brings the index in step with the rows of the record. */
  follow(changes: RowChanges, ground: Ground): void {
    if (changes.paths.length === 0) return;
    const paths = new Set(changes.paths);
    const journal = paths.has(JOURNAL)
      ? this.journal.follow(ground.journal, changes.isExtended)
      : { touched: new Set<SbiId>() };
    const context = this.context(journal);
    const ids = [ground.wip, context.goState?.wip].filter((id) => id !== undefined && paths.has(GO_STATE));
    for (const path of paths) if (this.tree.find(path) === undefined) this.writer.index.removeAt(path);
    const sbis = [...(journal.touched === 'all' ? this.allSbis() : journal.touched), ...ids] as SbiId[];
    for (const list of this.affected(paths, sbis)) {
      for (const unit of groupUnits(list())) {
        this.writer.write(deriveUnit(unit, context, this.tree), [], changes.rev);
      }
    }
  }

  private context({ reason }: Pick<JournalChange, 'reason'> = {}): TreeContext {
    const context = contextWithout(this.tree, this.journal);
    if (reason === undefined) return context;
    return { ...context, quarantined: new Map([...context.quarantined, [JOURNAL, reason]]) };
  }

  /** For every unit, or few, that a change can reach: its entries in scan order. */
  private affected(
    paths: ReadonlySet<TreePath>,
    sbis: readonly SbiId[],
  ): Iterable<() => readonly TreeStat[]> {
    const groups = new Map<string, () => readonly TreeStat[]>();
    const addSbi = (id: SbiId) => groups.set(id, () => this.writer.entries.listSbi(id));
    for (const id of sbis) addSbi(id);
    const more = [...paths].some((path) => classifyPath(path).role === 'workflow') ? [ETC_WORKFLOW] : [];
    for (const path of [...paths, ...more]) {
      const root = unitRoot(path);
      const id = root === undefined ? undefined : idOf(root);
      if (id !== undefined) addSbi(id);
      else if (root !== undefined) groups.set(root, () => this.below(root));
      else groups.set(path, () => this.one(path));
    }
    return groups.values();
  }

  /** Ids of all entries of `specs/sbi`. */
  private allSbis(): ReadonlySet<SbiId> {
    const ids = new Set<SbiId>();
    const { entries } = this.writer;
    for (let path = entries.lastSbiPath(undefined); path !== undefined;) {
      const root = unitRoot(path)!;
      const id = idOf(root);
      if (id !== undefined) ids.add(id);
      path = entries.lastSbiPath(root);
    }
    return ids;
  }

  private one(path: TreePath): readonly TreeStat[] {
    const stat = this.writer.entries.find(path);
    return stat === undefined ? [] : [stat];
  }

  private below(root: TreePath): readonly TreeStat[] {
    return [...this.one(root), ...this.writer.entries.listBelow(root)];
  }
}

const SBI_PREFIX = 'specs/sbi/';
const unitDirectory = /^(?:specs\/sbi|var\/txn|journal\/[^/]+)\/[^/]+/u;

/** The directory that is derived as a whole and holds `path`, or is it; as in `groupUnits`. */
function unitRoot(path: TreePath): TreePath | undefined {
  return unitDirectory.exec(path)?.[0] as TreePath | undefined;
}

/** The id that the name of an entry of `specs/sbi` begins with: all that begin with it are looked at together. */
function idOf(root: TreePath): SbiId | undefined {
  const id = root.startsWith(SBI_PREFIX) ? root.slice(SBI_PREFIX.length, SBI_PREFIX.length + 30) : '';
  return isSbiId(id) ? id : undefined;
}
