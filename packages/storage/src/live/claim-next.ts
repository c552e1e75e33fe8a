import { isStorageError, type Claim, type ClaimOptions, type IndexFilter, type SbiId } from '@deespec/domain';

import { claimSbi, type Claimable } from './steps.js';
import type { Step } from './unit.js';

/** SBIs of each list that are tried in one look at the tree. */
const CANDIDATES = 20;

/** How often it begins anew when an SBI is deleted on the way. */
const ROUNDS = 5;

type Make = <T>(step: Step<T>) => Promise<T>;

type Page = readonly { readonly id: SbiId }[];

type List = (filter: IndexFilter) => Promise<Page>;

/**
 * Takes the first SBI that can be taken: one whose lease has ended, else one that nobody works on. The lists only propose: the
 * claim is decided where it is made, so that two callers never have the same one.
 */
export async function claimFrom(list: List, make: Make, options: ClaimOptions): Promise<Claim | undefined> {
  for (let round = 1; ; round += 1) {
    try {
      return await claimOnce(list, make, options);
    } catch (error) {
      // A page of a list goes on behind the last SBI of the one before, which is gone.
      if (round === ROUNDS || !isStorageError(error, 'SBI.NOT_FOUND')) throw error;
    }
  }
}

async function claimOnce(
  list: List,
  make: Make,
  { label, leaseMs }: ClaimOptions,
): Promise<Claim | undefined> {
  const filter = { order: 'next', limit: CANDIDATES, ...(label === undefined ? {} : { label }) } as const;
  const [started, waiting] = [{ ...filter, status: 'WIP' } as const, { ...filter, status: 'READY' } as const];
  const [begun, ready] = [await list(started), await list(waiting)];
  const first = [...claimsOf(begun, leaseMs, 'left'), ...claimsOf(ready, leaseMs, 'ready')];
  const claim = await takeFirst(first, make);
  if (claim !== undefined) return claim;
  // Behind those that were tried. While one SBI of the Go tool's layout is in work no other of it can be taken: they are left out.
  const others = pagesOf(list, ready, { ...waiting, hasState: true });
  const behind = await claimAmong(others, make, (page) => claimsOf(page, leaseMs, 'ready'));
  if (behind !== undefined) return behind;
  return claimAmong(pagesOf(list, begun, started), make, (page) => claimsOf(page, leaseMs, 'left'));
}

/** Every page of a list, unless the first that was tried was all. */
async function* pagesOf(list: List, tried: Page, filter: IndexFilter): AsyncGenerator<Page> {
  for (let last = tried, after = {}; last.length === CANDIDATES; after = { after: last.at(-1)?.id }) {
    last = await list({ ...filter, ...after });
    yield last;
  }
}

async function claimAmong(
  pages: AsyncIterable<Page>,
  make: Make,
  claimsIn: (page: Page) => Step<Claim>[],
): Promise<Claim | undefined> {
  for await (const page of pages) {
    const claim = await takeFirst(claimsIn(page), make);
    if (claim !== undefined) return claim;
  }
  return undefined;
}

function claimsOf(sbis: Page, leaseMs: number, which: Claimable): Step<Claim>[] {
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
