import { isStorageError, type Claim, type ClaimOptions, type SbiId, type Storage } from '@deespec/domain';

import { claimSbi } from './steps.js';
import type { Step } from './unit.js';

/** SBIs that are tried before the list is asked for again. */
const CANDIDATES = 20;

/** How often the list is asked for: others may have taken all that it named. */
const ROUNDS = 5;

/**
 * Takes the first SBI that can be taken. The list only proposes: the claim is decided where it is made, so that two callers never
 * have the same one.
 */
export async function claimFrom(
  storage: Pick<Storage, 'listSbis'>,
  make: <T>(step: Step<T>) => Promise<T>,
  { label, leaseMs }: ClaimOptions,
): Promise<Claim | undefined> {
  const filter = { order: 'next', limit: CANDIDATES, ...(label === undefined ? {} : { label }) } as const;
  for (let round = 0; round < ROUNDS; round += 1) {
    const started = await storage.listSbis({ ...filter, status: 'WIP' });
    const ready = await storage.listSbis({ ...filter, status: 'READY' });
    const ids = [...started, ...ready].map(({ id }) => id);
    const claim = ids.length === 0 ? undefined : await make(firstOf(ids, leaseMs));
    if (claim !== undefined || ready.length < CANDIDATES) return claim;
  }
  return undefined;
}

function firstOf(ids: readonly SbiId[], leaseMs: number): Step<Claim | undefined> {
  const claims = ids.map((id) => claimSbi(id, leaseMs, 'next'));
  return (unit) => {
    for (const claim of claims) {
      try {
        return claim(unit);
      } catch (error) {
        // In work, or gone since the list was made.
        if (!isStorageError(error, 'LEASE.HELD') && !isStorageError(error, 'SBI.NOT_FOUND')) throw error;
      }
    }
    return undefined;
  };
}
