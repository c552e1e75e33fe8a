import { isStorageError, type Claim, type ClaimOptions, type SbiId, type Storage } from '@deespec/domain';

import { claimSbi } from './steps.js';
import type { Step } from './unit.js';

/** SBIs of each list that are tried in one look at the tree. */
const CANDIDATES = 20;

/** How often the lists are asked for: others may have taken all that they named. */
const ROUNDS = 5;

type Make = <T>(step: Step<T>) => Promise<T>;

/**
 * Takes the first SBI that can be taken: one whose lease has ended, else one that nobody works on. The lists only propose: the
 * claim is decided where it is made, so that two callers never have the same one.
 */
export async function claimFrom(
  storage: Pick<Storage, 'listSbis' | 'streamSbis'>,
  make: Make,
  { label, leaseMs }: ClaimOptions,
): Promise<Claim | undefined> {
  const filter = { order: 'next', limit: CANDIDATES, ...(label === undefined ? {} : { label }) } as const;
  const started = { ...filter, status: 'WIP' } as const;
  for (let round = 0; round < ROUNDS; round += 1) {
    const begun = await storage.listSbis(started);
    const ready = await storage.listSbis({ ...filter, status: 'READY' });
    const claim = await claimOf([...begun, ...ready], make, leaseMs);
    if (claim !== undefined) return claim;
    if (ready.length === CANDIDATES) continue;
    return begun.length < CANDIDATES ? undefined : claimEnded(storage.streamSbis(started), make, leaseMs);
  }
  return undefined;
}

/** Many are in work: the one whose lease has ended may be behind those that were tried. */
async function claimEnded(
  started: AsyncIterable<{ readonly id: SbiId }>,
  make: Make,
  leaseMs: number,
): Promise<Claim | undefined> {
  let page: { readonly id: SbiId }[] = [];
  for await (const sbi of started) {
    page.push(sbi);
    if (page.length < CANDIDATES) continue;
    const claim = await claimOf(page, make, leaseMs);
    if (claim !== undefined) return claim;
    page = [];
  }
  return claimOf(page, make, leaseMs);
}

async function claimOf(
  sbis: readonly { readonly id: SbiId }[],
  make: Make,
  leaseMs: number,
): Promise<Claim | undefined> {
  const ids = sbis.map(({ id }) => id);
  return ids.length === 0 ? undefined : make(firstOf(ids, leaseMs));
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
