import { timeFromDate } from '@deespec/domain';
import type { Change, DerivedUnit, SbiId, TreeEdit, TreePath, TreeStat, TreeView } from '@deespec/domain';
import { checks } from '@deespec/validators';

import { groupUnits, MemorySpool, Overlay, readContext } from '../src/index.js';
import { derive, treeOf, type Content, type TreeOptions } from './support.js';

export type Files = Readonly<Record<string, Content>>;

/** The time of every change: 2026-03-01T10:00:00.5Z. */
export const NOW = timeFromDate(new Date('2026-03-01T10:00:00.500Z'));

/** A tree in memory as a plan sees it. */
export function viewOf(files: Files, options: TreeOptions = {}): TreeView {
  const tree = treeOf(files, options);
  const { spool } = readContext(tree, { checks, spool: new MemorySpool() });
  const units = [...groupUnits(tree.scan())].filter(({ sbiId }) => sbiId !== undefined);
  return {
    ...tree,
    journal: spool,
    entriesOf: (id: SbiId): TreeStat[] =>
      units.filter(({ sbiId }) => sbiId === id).flatMap(({ entries }) => entries),
    newestSbis: (limit: number): TreePath[] =>
      units
        .map(({ path }) => path)
        .reverse()
        .slice(0, limit),
  };
}

/** What changes are made with. */
export interface MakeOptions {
  readonly now?: string;
  readonly lineId?: string;
}

/** A tree with one change on top. */
export function overlay(
  files: Files,
  change: Change,
  { now = NOW, lineId = 'line-1' }: MakeOptions = {},
): Overlay {
  const made = new Overlay(viewOf(files), { checks, now });
  made.make(change, lineId);
  return made;
}

/** The edits of a change upon files. */
export function plan(files: Files, change: Change, options: MakeOptions = {}): readonly TreeEdit[] {
  return overlay(files, change, options).edits;
}

/** The path of an edit. */
export function pathOf(edit: TreeEdit): TreePath {
  return edit.op === 'put' ? edit.version.path : edit.path;
}

/** The path of an edit that puts a file, appends or discards; none of one that makes a directory. */
export function filesOf(edits: readonly TreeEdit[]): TreePath[] {
  return edits.filter((edit) => edit.op !== 'put' || edit.version.kind === 'file').map(pathOf);
}

/** The files after the edits; an edit that a store would refuse is an error. */
export function apply(files: Files, edits: readonly TreeEdit[]): Record<string, Content> {
  const after: Record<string, Content> = { ...files };
  for (const edit of edits) makeEdit(after, edit);
  return after;
}

function makeEdit(files: Record<string, Content>, edit: TreeEdit): void {
  const tree = treeOf(files);
  const path = pathOf(edit);
  const parent = path.slice(0, Math.max(0, path.lastIndexOf('/'))) as TreePath | '';
  if (parent !== '' && tree.find(parent)?.kind !== 'directory') throw new Error(`no directory ${parent}`);
  if (edit.op === 'put') {
    const { kind, bytes } = edit.version;
    if (tree.find(path)?.sha256 !== edit.expected) throw new Error(`something else stands at ${path}`);
    files[path] = kind === 'directory' ? { directory: true } : Buffer.from(bytes as Uint8Array);
  } else if (edit.op === 'append') {
    const before = tree.find(path) === undefined ? [] : [...tree.read(path)];
    const end = before.length === 0 || before.at(-1)?.at(-1) === 0x0a ? '' : '\n';
    files[path] = Buffer.concat([...before, Buffer.from(end), edit.line]);
  } else if (edit.op === 'discard') {
    if (tree.find(path)?.kind !== 'directory') throw new Error(`no directory ${path}`);
    for (const other of Object.keys(files)) {
      if (other === path || other.startsWith(`${path}/`)) delete files[other];
    }
    // What the tree makes of its files' names is there after them too.
    if (parent !== '') files[parent] = { directory: true };
  } else throw new Error(`an unplanned edit of ${path}`);
}

/** Makes a change, and says what the tree holds then. */
export function make(
  files: Files,
  change: Change,
  options: MakeOptions = {},
): { files: Record<string, Content>; units: DerivedUnit[]; edits: readonly TreeEdit[] } {
  const edits = plan(files, change, options);
  const after = apply(files, edits);
  return { files: after, units: derive(after), edits };
}

/** The text of a file. */
export function text(files: Files, path: string): string {
  return Buffer.from(files[path] as string | Buffer).toString('utf8');
}
