import {
  StorageError,
  displayPath,
  type JournalSpool,
  type SbiId,
  type TreeEntry,
  type TreePath,
  type TreeStat,
  type TreeView,
} from '@deespec/domain';
import { groupUnits } from '@deespec/layout';

import { readEntry, type ContentRows } from './content-rows.js';
import type { EntryRows } from './entry-rows.js';

/** The stored tree as a plan of changes sees it. Every statement runs in the caller's transaction. */
export class StoredView implements TreeView {
  constructor(
    private readonly entries: EntryRows,
    private readonly contents: ContentRows,
    readonly journal: JournalSpool,
  ) {}

  scan(): Iterable<TreeStat> {
    return this.entries.scan();
  }

  find(path: TreePath): TreeEntry | undefined {
    return this.entries.find(path);
  }

  read(path: TreePath): Iterable<Buffer> {
    const row = this.entries.find(path);
    if (row !== undefined) return readEntry(this.contents, row);
    throw notFound(path);
  }

  entriesOf(id: SbiId): readonly TreeStat[] {
    const units = [...groupUnits(this.entries.listSbi(id))];
    return units.filter((unit) => unit.kind === 'sbi' && unit.sbiId === id).flatMap((unit) => unit.entries);
  }

  newestSbis(limit: number): readonly TreePath[] {
    const found: TreePath[] = [];
    let last = this.entries.lastSbiPath(undefined);
    while (last !== undefined && found.length < limit) {
      const root = last.split('/', 3).join('/') as TreePath;
      const stat = this.entries.find(root);
      const [unit] = stat?.kind === 'directory' ? groupUnits([stat]) : [];
      if (unit?.sbiId !== undefined) found.push(root);
      last = this.entries.lastSbiPath(root);
    }
    return found;
  }
}

/** The error of a path where nothing stands. */
export function notFound(path: TreePath): StorageError {
  return new StorageError('FILE.NOT_FOUND', `nothing stands at ${displayPath(path)}`, {
    hint: 'look at what the tree holds, then repeat the call',
    details: { path: displayPath(path) },
  });
}
