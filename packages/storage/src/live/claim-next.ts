import {
  isStorageError,
  type Claim,
  type ClaimOptions,
  type IndexFilter,
  type SbiId,
  type Storage,
} from '@deespec/domain';

import { claimSbi, type Claimable } from './steps.js';
import type { Step } from './unit.js';

/** SBIs of each list that are tried in one look at the tree. */
const CANDIDATES = 20;

/** How often the lists are asked for: others may have taken all that they named. */
const ROUNDS = 5;

type Make = <T>(step: Step<T>) => Promise<T>;

/** What proposes SBIs. */
interface Lists extends Pick<Storage, 'streamSbis'> {
  readonly list: (filter: IndexFilter) => Promise<readonly { readonly id: SbiId }[]>;
}

/**
 * Takes the first SBI that can be taken: one whose lease has ended, else one that nobody works on. The lists only propose: the
 * claim is decided where it is made, so that two callers never have the same one.
 */
export async function claimFrom(
  { list, streamSbis }: Lists,
  make: Make,
  { label, leaseMs }: ClaimOptions,
): Promise<Claim | undefined> {
  const filter = { order: 'next', limit: CANDIDATES, ...(label === undefined ? {} : { label }) } as const;
  const started = { ...filter, status: 'WIP' } as const;
  for (let round = 0; round < ROUNDS; round += 1) {
    const begun = await list(started);
    const ready = await list({ ...filter, status: 'READY' });
    const claim = await takeFirst(
      [...claimsOf(begun, leaseMs, 'left'), ...claimsOf(ready, leaseMs, 'ready')],
      make,
    );
    if (claim !== undefined) return claim;
    // While one SBI of the Go tool's layout is in work no other of it can be taken: those may be all that stand in front.
    const others =
      ready.length < CANDIDATES ? [] : await list({ ...filter, status: 'READY', hasState: true });
    const behind = await takeFirst(claimsOf(others, leaseMs, 'ready'), make);
    if (behind !== undefined) return behind;
    if (others.length === CANDIDATES) continue;
    return begun.length < CANDIDATES ? undefined : claimEnded(streamSbis(started), make, leaseMs);
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
    const claim = await takeFirst(claimsOf(page, leaseMs, 'left'), make);
    if (claim !== undefined) return claim;
    page = [];
  }
  return takeFirst(claimsOf(page, leaseMs, 'left'), make);
}

function claimsOf(sbis: readonly { readonly id: SbiId }[], leaseMs: number, which: Claimable): Step<Claim>[] {
  return sbis.map(({ id }) => claimSbi(id, leaseMs, which));
}

async function takeFirst(claims: readonly Step<Claim>[], make: Make): Promise<Claim | undefined> {
  return claims.length === 0 ? undefined : make(firstOf(claims));
}

/** The first of these claims that can be made. */
function firstOf(claims: readonly Step<Claim>[]): Step<Claim | undefined> {
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
