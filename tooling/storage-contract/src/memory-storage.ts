import type { Index } from '@deespec/domain';
import { DerivedUnits, UnitIndex } from '@deespec/file-adapter';
import { deriveTree, MemorySpool } from '@deespec/layout';
import { checks } from '@deespec/validators';

import { MemoryTreeStore } from './memory-tree-store.js';

/** The reference: the least code that satisfies the ports, for comparison and for tests of packages above. */
export function openMemoryStorage(options: { readonly now?: () => Date } = {}): {
  readonly store: MemoryTreeStore;
  readonly index: Index;
} {
  const store: MemoryTreeStore = new MemoryTreeStore(options.now ?? (() => new Date()), () =>
    units.invalidate(),
  );
  const units = new DerivedUnits({
    read: (path) => store.read(path),
    audit: () => store.records,
    derive: () => deriveTree(store, { checks, spool: new MemorySpool() }),
  });
  return { store, index: new UnitIndex(units) };
}
