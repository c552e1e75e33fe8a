import { joinPath } from '@deespec/domain';
import type { TreePath, TreeView } from '@deespec/domain';

import { findInTree } from '../content.js';
import { ETC_WORKFLOW, GO_STATE } from '../paths.js';
import type { LayoutName } from './sbi-place.js';

/** How many of the newest SBIs decide. */
const SAMPLE = 64;

/**
 * The layout of a new SBI: the one that most of the newest have. A tie gives the document's; a tree without SBIs too, unless it
 * has files that the Go tool makes.
 */
export function chooseLayout(view: TreeView): LayoutName {
  const counts = { document: 0, go: 0 };
  for (const directory of view.newestSbis(SAMPLE)) {
    const layout = layoutAt(view, directory);
    if (layout !== undefined) counts[layout] += 1;
    if (Math.max(counts.document, counts.go) > SAMPLE / 2) break;
  }
  if (counts.document + counts.go > 0) return counts.go > counts.document ? 'go' : 'document';
  return [ETC_WORKFLOW, GO_STATE].some((path) => findInTree(view, path) !== undefined) ? 'go' : 'document';
}

function layoutAt(view: TreeView, directory: TreePath): LayoutName | undefined {
  const has = (name: string): boolean => view.find(joinPath(directory, name))?.kind === 'file';
  if (has('state.json')) return 'document';
  return has('meta.yml') || has('meta.yaml') ? 'go' : undefined;
}
