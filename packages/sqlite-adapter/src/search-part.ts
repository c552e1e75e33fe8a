import { sbiStatuses, type SbiStatus } from '@deespec/domain';

/** Rows that a part has room for. */
const ROWS = 2 ** 40;

/** Ids of `search_text`: those of the items of one status, or all. */
export interface SearchPart {
  readonly first: number;
  readonly last: number;
}

const parts: Readonly<Record<SbiStatus, SearchPart>> = {
  READY: partAt(1),
  WIP: partAt(2),
  REVIEW: partAt(3),
  'REVIEW&WIP': partAt(4),
  DONE: partAt(5),
};

/** The statuses in the order of their parts. */
export const statusesByPart: readonly SbiStatus[] = sbiStatuses.toSorted(
  (a, b) => parts[a].first - parts[b].first,
);

function partAt(number: number): SearchPart {
  return { first: number * ROWS, last: (number + 1) * ROWS - 1 };
}

/** Where the words of the items of a status are; of all, without one. It is stored: docs/database.md, "Search". */
export function searchPart(status: SbiStatus | undefined): SearchPart {
  return status === undefined ? { first: 0, last: Number.MAX_SAFE_INTEGER } : parts[status];
}
