import type { SbiQuery } from '../api/sbis.js';

// What the address of each page holds. Anything else in it is dropped, so that a link that somebody made is never an error.

type Raw = Record<string, unknown>;

function text(raw: Raw, key: string, max = 1000): string | undefined {
  const value = raw[key];
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value.slice(0, max) : undefined;
}

function oneOf<T extends string>(raw: Raw, key: string, values: readonly T[]): T | undefined {
  return values.find((value) => value === raw[key]);
}

/** Drops what is absent: an address holds only what was chosen. */
function present<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined && value !== false),
  ) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/** States of an SBI, in the order of the work. */
export const statuses = ['READY', 'WIP', 'REVIEW', 'REVIEW&WIP', 'DONE'] as const;
const sorts = ['created', 'next', 'updated', 'priority', 'status', 'id'] as const;

/** `/sbis`: filter, order and place in the list. */
export function sbisSearch(raw: Raw) {
  return present({
    status: oneOf(raw, 'status', statuses),
    label: text(raw, 'label', 200),
    search: text(raw, 'search'),
    sort: oneOf(raw, 'sort', sorts),
    order: oneOf(raw, 'order', ['asc', 'desc'] as const),
    cursor: text(raw, 'cursor', 40),
  }) satisfies SbiQuery;
}

/** Parts of the page of one SBI. */
export const sbiViews = ['timeline', 'changes', 'spec', 'files', 'fields'] as const;

/** `/sbis/<id>`: the part that is shown, the step, and the step that it is compared with. */
export function sbiSearch(raw: Raw) {
  return present({
    view: oneOf(raw, 'view', sbiViews),
    step: text(raw, 'step', 120),
    compare: text(raw, 'compare', 120),
    failed: raw['failed'] === true,
  });
}

/** `/audit`: whose changes, since when, and the place in the list. */
export function auditSearch(raw: Raw) {
  return present({
    entityId: text(raw, 'entityId', 500),
    since: text(raw, 'since', 40),
    cursor: typeof raw['cursor'] === 'number' ? raw['cursor'] : undefined,
  });
}

/** `/findings`: the rule that is open. */
export function findingSearch(raw: Raw) {
  return present({ rule: text(raw, 'rule', 80) });
}

/** `/conflicts`: the conflict that is open. */
export function conflictSearch(raw: Raw) {
  return present({ id: text(raw, 'id', 128) });
}

/** `/migration`: the job that is open. */
export function migrationSearch(raw: Raw) {
  return present({ job: text(raw, 'job', 16) });
}
