import { baseName, parentPath, timeToNs } from '@deespec/domain';
import type { JournalEvent, TreeEntry, TreePath, TreeView } from '@deespec/domain';

import { classifyPath, earlierPath } from '../paths.js';

/**
 * Where the bytes of a step file are to be kept that a later run writes over, or has written over: below `histories/run_<n>/` of
 * its SBI, from where they are read back as the content of run `n`.
 *
 * The last line of the journal that names the file says which run that is. When that is the run in work, its line may be
 * about other bytes than these: what was written before the run began belongs to the last line before it that names the file.
 *
 * @param entry - the bytes that are asked about, when the view holds others at the path by now
 * @returns `undefined` when `path` is no step file, when its bytes are not known to be an earlier run's, and when that run has
 *   a file of this name already
 *
 * Source: docs/formats.md, "From a change to bytes".
 */
export function earlierRunPath(
  path: TreePath,
  view: TreeView,
  entry: TreeEntry | undefined = view.find(path),
): TreePath | undefined {
  const role = stepFile(path);
  if (role === undefined || entry?.kind !== 'file') return undefined;
  const events = view.journal.eventsOf(role.sbiId);
  const run = ownerOf(events, entry)?.run;
  if (run === undefined || run === events.at(-1)!.run) return undefined;
  const kept = earlierPath(parentPath(path) as TreePath, run, baseName(path));
  return view.find(kept) === undefined ? kept : undefined;
}

/** True for the name of a step file, the only one whose bytes a later run writes over. */
export function isStepFile(path: TreePath): boolean {
  return stepFile(path) !== undefined;
}

function stepFile(path: TreePath) {
  const role = classifyPath(path);
  return role.role === 'artifact' && role.run === undefined ? role : undefined;
}

/** The line that bytes at a step's name belong to. */
function ownerOf(events: readonly JournalEvent[], { path, mtimeNs }: TreeEntry): JournalEvent | undefined {
  const name = baseName(path);
  const naming = events.filter((event) => (event.artifact ?? `${event.step}_${event.turn}.md`) === name);
  const last = naming.at(-1);
  const run = events.at(-1)?.run;
  const begun = events.find((event) => event.isPick && event.run === run);
  if (last?.run !== run || begun === undefined || mtimeNs >= timeToNs(begun.ts)) return last;
  return naming.findLast((event) => event.run !== run);
}
