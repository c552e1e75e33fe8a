import { timeFromDate } from '@deespec/domain';
import type { Change, DerivedUnit, SbiId, TreeEdit } from '@deespec/domain';
import { checks } from '@deespec/validators';

import { groupUnits, MemorySpool, planChange, readContext } from '../src/index.js';
import type { LayoutName } from '../src/index.js';
import { derive, treeOf, unitAt, type Content } from './support.js';

export type Files = Readonly<Record<string, Content>>;

/** The time of every change: 2026-03-01T10:00:00.5Z. */
export const NOW = timeFromDate(new Date('2026-03-01T10:00:00.500Z'));

/** Plans a change upon files. */
export function plan(
  files: Files,
  change: Change,
  {
    layout = 'go',
    now = NOW,
    lineId = 'line-1',
  }: { layout?: LayoutName; now?: string; lineId?: string } = {},
): readonly TreeEdit[] {
  const reader = treeOf(files);
  const context = readContext(reader, { checks, spool: new MemorySpool() });
  const units = [...groupUnits(reader.scan())];
  const findUnit = (id: SbiId) => units.find(({ kind, sbiId }) => kind === 'sbi' && sbiId === id);
  return planChange(change, { reader, context, findUnit, layout, now, lineId });
}

/** The files after the edits. */
export function apply(files: Files, edits: readonly TreeEdit[]): Record<string, Content> {
  const after: Record<string, Content> = { ...files };
  for (const edit of edits) {
    if (edit.op === 'put') after[edit.path] = edit.bytes;
    if (edit.op === 'append') {
      const before = after[edit.path] ?? '';
      after[edit.path] = Buffer.concat([Buffer.from(before as string | Buffer), edit.line]);
    }
    if (edit.op !== 'discard') continue;
    for (const path of Object.keys(after)) if (path.startsWith(`${edit.path}/`)) delete after[path];
  }
  return after;
}

/** Plans a change, makes its edits, and says what the tree holds then. */
export function make(
  files: Files,
  change: Change,
  options: Parameters<typeof plan>[2] = {},
): { files: Record<string, Content>; units: DerivedUnit[]; edits: readonly TreeEdit[] } {
  const edits = plan(files, change, options);
  const after = apply(files, edits);
  return { files: after, units: derive(after), edits };
}

/** The unit of an SBI. */
export function sbiUnit(units: readonly DerivedUnit[], directory: string): DerivedUnit {
  return unitAt(units, directory);
}

/** The text of a file. */
export function text(files: Files, path: string): string {
  return Buffer.from(files[path] as string | Buffer).toString('utf8');
}
