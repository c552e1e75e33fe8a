import { StorageError } from '@deespec/domain';
import { type IndexRow } from '@deespec/sqlite-adapter';

/** A row that is to be rebuilt. */
export interface PlannedRow {
  /** The rule that found it. */
  readonly rule: string;
  readonly table: string;
  /** Names the row within its table. */
  readonly key: string;
  /** What is wrong with the row as it is. */
  readonly is: IndexRow['is'];
  /** The directory or file whose bytes it is derived from; absent for a row that nothing derives, which goes, and for one that stands for those of every item. */
  readonly from?: string;
}

/**
 * What a repair would do, to be read before it is done. The same state of a database gives the same plan, byte for byte. It names
 * rows and never says what they become: that is derived from the stored bytes.
 */
export interface RepairPlan {
  readonly schema: typeof PLAN_SCHEMA;
  /** The state that it was made from: it is good for this one only. */
  readonly state: {
    readonly storeId: string;
    readonly epoch: number;
    /** Grows with every change of the database. */
    readonly revision: number;
    /** Digest of the tree in the database, which stays the same. */
    readonly digest: string;
  };
  /** In the order of the tree, then rows without a source of their own. */
  readonly rows: readonly PlannedRow[];
  /** Rows beyond those: for the next plan. */
  readonly more: number;
}

const PLAN_SCHEMA = 'deespec.repair-plan/1';

/** A plan as it is written into a file. */
export function formatPlan(plan: RepairPlan): string {
  return `${JSON.stringify(plan, undefined, 2)}\n`;
}

/** The plan of a state and the rows that were found in it. */
export function planOf(
  state: RepairPlan['state'],
  { rows, more }: { readonly rows: readonly IndexRow[]; readonly more: number },
  shown: (path: string) => string,
): RepairPlan {
  return {
    schema: PLAN_SCHEMA,
    state,
    rows: rows.map(({ rule, table, key, is, unit }) => ({
      rule,
      table,
      key,
      is,
      ...(unit === undefined ? {} : { from: shown(unit) }),
    })),
    more,
  };
}

/**
 * Proves that a plan is the one that is made now: of this database, of this state, with these rows and no others. Nothing of
 * the given one is used for anything else.
 *
 * @param text - a file that a person, or somebody else, may have changed
 * @throws StorageError `REPAIR.PLAN_INVALID`, `REPAIR.PLAN_STALE`
 */
export function requireSamePlan(text: string, now: RepairPlan): void {
  const given = parsePlan(text);
  const changed = (['storeId', 'epoch', 'revision', 'digest'] as const).find(
    (name) => given.state[name] !== now.state[name],
  );
  if (changed !== undefined) throw stale(changedState[changed], { plan: given.state, database: now.state });
  if (JSON.stringify(given.rows) === JSON.stringify(now.rows) && given.more === now.more) return;
  throw stale('other rows than the plan names are to be rebuilt', {
    planned: given.rows.length,
    found: now.rows.length,
  });
}

/**
 * As {@link requireSamePlan}, of what is known without deriving anything.
 *
 * @throws StorageError `REPAIR.PLAN_INVALID`, `REPAIR.PLAN_STALE`
 */
export function requireSameState(text: string, now: Omit<RepairPlan['state'], 'digest'>): void {
  const { state } = parsePlan(text);
  const changed = (['storeId', 'epoch', 'revision'] as const).find((name) => state[name] !== now[name]);
  if (changed !== undefined) throw stale(changedState[changed], { plan: state, database: now });
}

const changedState = {
  storeId: 'it was made for another tree',
  epoch: 'the mode was changed since',
  revision: 'the database was written to since',
  digest: 'the stored tree is another one',
} as const;

function stale(why: string, details: StorageError['details']): StorageError {
  return new StorageError('REPAIR.PLAN_STALE', `the plan is not that of the database as it is: ${why}`, {
    hint: 'nothing was changed: make a new one with "deespec repair --plan --output <file>", and read it',
    details,
  });
}

/** The parts of a plan that are compared; only their types are believed. */
function parsePlan(text: string): RepairPlan {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid('it is no JSON', cause);
  }
  const plan = value as Partial<RepairPlan> | null;
  if (typeof plan !== 'object' || plan?.schema !== PLAN_SCHEMA)
    throw invalid(`it has no schema ${PLAN_SCHEMA}`);
  if (typeof plan.state !== 'object' || plan.state === null || !Array.isArray(plan.rows)) {
    throw invalid('it lacks its state or its rows');
  }
  return plan as RepairPlan;
}

function invalid(why: string, cause?: unknown): StorageError {
  return new StorageError('REPAIR.PLAN_INVALID', `this is no plan of a repair: ${why}`, {
    hint: 'make one with "deespec repair --plan --output <file>"',
    ...(cause === undefined ? {} : { cause }),
  });
}
