import { StorageError } from '@deespec/domain';

import { Fields } from '../fields.js';
import { parseJsonObject } from '../json-text.js';
import { GO_STATE } from '../paths.js';
import type { Draft } from './draft.js';
import type { EditedTree } from './edited-tree.js';
import { isWip, wipOf } from './go-files.js';
import type { Planning, SbiPlace } from './sbi-place.js';

/** Requires that an SBI's lease has ended, or that it has none. @throws StorageError `LEASE.HELD` */
export function requireNoLease({ draft }: Planning, place: SbiPlace): void {
  const lease = leaseOf(draft, place);
  if (lease !== undefined && lease > draft.options.now) throw held(place.id, lease);
}

/** Requires that an SBI is in work. @throws StorageError `LEASE.NOT_HELD` */
export function requireInWork(draft: Draft, place: SbiPlace): void {
  const { id, layout } = place;
  const isInWork = layout === 'go' ? isWip(wipOf(draft), id) : leaseOf(draft, place) !== undefined;
  if (isInWork) return;
  throw new StorageError('LEASE.NOT_HELD', `${id} is not in work`, {
    hint: 'claim it first',
    details: { id },
  });
}

/** The error for an SBI that somebody works on. */
export function held(id: string, leaseExpiresAt?: string): StorageError {
  const until = leaseExpiresAt === undefined ? '' : ` until ${leaseExpiresAt}`;
  return new StorageError('LEASE.HELD', `${id} is in work${until}`, {
    hint: 'wait until it is released or its lease ends',
    details: { id, ...(leaseExpiresAt === undefined ? {} : { leaseExpiresAt }) },
  });
}

/** When the lease of an SBI ends, as the file says that has it: UTC, fixed width; `undefined` when there is none. */
export function leaseOf(tree: EditedTree, { id, layout, file }: SbiPlace): string | undefined {
  if (layout === 'go' && !isWip(wipOf(tree), id)) return undefined;
  const bytes = tree.file(layout === 'go' ? GO_STATE : file);
  const parsed = bytes === undefined ? undefined : parseJsonObject(bytes);
  if (parsed === undefined || parsed.problem !== undefined) return undefined;
  return new Fields(parsed.value).time('lease_expires_at')?.utc;
}
