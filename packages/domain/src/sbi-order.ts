import type { Sbi, SbiOrder } from './sbi.js';

/** How a list of SBIs is ordered. */
export interface SbiOrdering {
  readonly order?: SbiOrder;
  readonly direction?: 'ascending' | 'descending';
}

/** What a priority of 0 counts as: it says nothing. Source: docs/formats.md. */
const NO_PRIORITY = 999;

type Compare = (a: Sbi, b: Sbi) => number;

const created: Compare = (a, b) => compareText(a.createdAt, b.createdAt) || compareText(a.id, b.id);

const comparers: Readonly<Record<SbiOrder, Compare>> = {
  created,
  next: (a, b) => rankOf(a) - rankOf(b) || created(a, b),
  updated: (a, b) => compareText(a.updatedAt, b.updatedAt) || created(a, b),
  priority: (a, b) => a.priority - b.priority || created(a, b),
  status: (a, b) => compareText(a.status, b.status) || created(a, b),
  id: (a, b) => compareText(a.id, b.id),
};

/** Compares two SBIs as an ordering has them: the same for every store, so that pages go on alike. */
export function sbiComparer({ order = 'created', direction = 'ascending' }: SbiOrdering): Compare {
  const compare = comparers[order];
  return direction === 'ascending' ? compare : (a, b) => compare(b, a);
}

function rankOf({ priority }: Sbi): number {
  return priority === 0 ? NO_PRIORITY : priority;
}

/** Order of the UTF-8 bytes: SQLite's, where JavaScript's `<` compares UTF-16 units. */
function compareText(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}
