import type { AuditNote, Change, ConfigEntry, SbiId } from '@deespec/domain';
import { createHash } from 'node:crypto';

import { findInTree } from '../content.js';
import { contextOf } from '../context.js';
import { deriveUnit } from '../derive.js';
import { ETC_WORKFLOW, SETTING, WORKFLOW } from '../paths.js';
import { Draft } from './draft.js';
import type { PlannedEdit } from './edit-list.js';
import { EditedTree } from './edited-tree.js';
import { chooseLayout } from './layout-choice.js';
import { isWip, wipOf } from './go-files.js';
import { leaseOf } from './lease.js';
import { planChange } from './plan.js';
import { placeOf } from './sbi-place.js';

/** The first file that a change replaces, else the first that it makes, by its hash before and after. */
export type ReplacedFile = Pick<AuditNote, 'oldHash' | 'newHash'>;

/**
 * A tree with changes on top, each planned on what those before it left: for the plan of one edit of a store. Its reads see
 * the changes; nothing is written. What a change costs grows with its SBI, not with the tree.
 *
 * Source: docs/adr/0012.
 */
export class Overlay extends EditedTree {
  /**
   * Makes a change; `edits` has its edits then. A change that cannot be made leaves everything as it was.
   *
   * @param lineId - unique: lines of a journal are told apart by it when journals are merged
   * @returns what its audit record says of files; nothing when it puts none
   * @throws StorageError `SBI.INVALID_ID`, `SBI.NOT_FOUND`, `SBI.EXISTS`, `EXECUTION.EXISTS`, `LEASE.HELD`, `LEASE.NOT_HELD`, `USAGE.INVALID`
   * @throws StorageError `LAYOUT.MALFORMED` when a file to be changed cannot be interpreted, `LAYOUT.CANNOT_EXPRESS`; those of the
   *   reads of the tree below
   */
  make(change: Change, lineId: string): ReplacedFile {
    const draft = new Draft(this, this.options);
    planChange(change, { draft, lineId, layout: () => chooseLayout(this) });
    for (const edit of draft.edits) this.add(edit);
    return replacedBy(draft.edits);
  }

  /**
   * When the lease of an SBI ends or ended: UTC, fixed width; `undefined` when it has none.
   *
   * @throws StorageError `SBI.NOT_FOUND`, `LAYOUT.MALFORMED`
   */
  leaseOf(id: SbiId): string | undefined {
    return leaseOf(this, placeOf(this.unitOf(id)?.entries ?? [], id));
  }

  /**
   * Whether another SBI keeps this one from being taken into work: the Go tool's layout has one `wip`. Looks at what files there are.
   *
   * @throws StorageError `SBI.NOT_FOUND`, `LAYOUT.MALFORMED`
   */
  isBlocked(id: SbiId): boolean {
    const { layout } = placeOf(this.unitOf(id)?.entries ?? [], id);
    const wip = layout === 'go' ? wipOf(this) : undefined;
    return wip !== undefined && !isWip(wip, id);
  }

  /** The settings, ordered by key in byte order. */
  config(): readonly ConfigEntry[] {
    const context = contextOf(this, this.options.checks);
    const entries = [SETTING, WORKFLOW, ETC_WORKFLOW].flatMap((path) => {
      const stat = findInTree(this, path);
      return stat === undefined
        ? []
        : deriveUnit({ kind: 'entry', path, entries: [stat] }, context, this).config;
    });
    return entries.sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
  }
}

function replacedBy(edits: readonly PlannedEdit[]): ReplacedFile {
  const files = edits.flatMap((edit) => (edit.op === 'put' && edit.version.kind === 'file' ? [edit] : []));
  const first = files.find(({ expected }) => expected !== undefined) ?? files[0];
  if (first === undefined) return {};
  const newHash = createHash('sha256').update(first.version.bytes).digest('hex');
  return first.expected === undefined ? { newHash } : { oldHash: first.expected, newHash };
}
