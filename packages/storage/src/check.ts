import { isStorageError, StorageError, type Severity } from '@deespec/domain';
import {
  inspectDatabase,
  loadConsistency,
  openHandle,
  readState,
  requireSchema,
  requireSound,
  toStorageError,
  type ConsistencyRule,
  type Inconsistency,
  type Look,
  type RepairRole,
  type StorageState,
} from '@deespec/sqlite-adapter';
import { setImmediate as turn } from 'node:timers/promises';

import { verifyAudit } from './audit.js';
import { takeBarrier } from './barrier.js';
import { checkRules } from './check-rules.js';
import { ownLinks, requireOwnState } from './database.js';
import { homePaths, type HomePaths } from './home.js';

/** What {@link checkDatabase} takes. */
export interface CheckOptions {
  readonly home: string;
  /** Names of the rules to ask; absent or empty: all. */
  readonly rules?: readonly string[];
  readonly signal?: AbortSignal;
}

/** What one rule found. */
export interface RuleReport {
  readonly rule: string;
  readonly severity: Severity;
  readonly title: string;
  readonly why: string;
  /** What mends it. */
  readonly fix: string;
  readonly repair: RepairRole;
  /** The query that was asked, or in `code` what looked instead. */
  readonly sql?: string;
  readonly code?: string;
  /** All findings. */
  readonly count: number;
  /** The first of them, at most {@link LISTED}. */
  readonly first: readonly Omit<Inconsistency, 'rule'>[];
  /** Why it could not be looked at. */
  readonly unchecked?: string;
}

export interface CheckReport {
  readonly home: string;
  readonly database: string;
  /** What the database says of itself; absent when it says nothing. */
  readonly state?: StorageState;
  /** Every rule was asked, and none found anything. */
  readonly ok: boolean;
  /** Findings of all rules. */
  readonly count: number;
  /** One for each rule that was asked, in the order of the list. */
  readonly rules: readonly RuleReport[];
  readonly durationMs: number;
}

/** Findings of one rule that are listed; all of them are counted. */
export const LISTED = 20;

/** How long the thread is kept at a time, milliseconds. */
const BUSY_MS = 50;

/** The rules, without looking at anything. @throws StorageError `USAGE.INVALID` for a name that no rule has */
export function listRules(names: readonly string[] = []): readonly ConsistencyRule[] {
  const unknown = names.find((name) => !checkRules.some(({ rule }) => rule === name));
  if (unknown === undefined) {
    return names.length === 0 ? checkRules : checkRules.filter(({ rule }) => names.includes(rule));
  }
  throw new StorageError('USAGE.INVALID', `there is no rule ${unknown.slice(0, 100)}`, {
    hint: 'deespec check --list shows them all',
    details: { rule: unknown.slice(0, 100) },
  });
}

/**
 * Asks the database whether it contradicts itself, rule by rule, as it is at one moment. Findings are a result, not an error.
 * Reads only; memory is that of the findings that are listed.
 *
 * @throws StorageError `USAGE.INVALID`; `DATABASE.NOT_FOUND` without a database; `DATABASE.*`, `SCHEMA.*` and `MIGRATION.*` for a
 *   file that must not be read; `LOCK.HELD`, `INTERRUPTED`
 *
 * Source: migration strategy, "Consistency Checks"; docs/adr/0015.
 */
export async function checkDatabase({ home, rules: names = [], signal }: CheckOptions): Promise<CheckReport> {
  const startedAt = Date.now();
  const rules = listRules(names);
  const paths = homePaths(home);
  if (inspectDatabase(paths.database, ownLinks(paths)) === 'absent') {
    throw new StorageError('DATABASE.NOT_FOUND', `${paths.home} has no database: there is nothing to check`, {
      hint: 'run "deespec migrate" first; until then the files are all there is',
    });
  }
  const release = takeBarrier(paths, { access: 'shared', command: 'check' });
  try {
    const tally = new Tally(rules);
    const state = await lookInside(paths, tally, signal);
    const reports = tally.reports();
    return {
      home: paths.home,
      database: paths.database,
      ...(state === undefined ? {} : { state }),
      ok: reports.every(({ count, unchecked }) => count === 0 && unchecked === undefined),
      count: reports.reduce((sum, { count }) => sum + count, 0),
      rules: reports,
      durationMs: Date.now() - startedAt,
    };
  } finally {
    release();
  }
}

async function lookInside(
  paths: HomePaths,
  tally: Tally,
  signal: AbortSignal | undefined,
): Promise<StorageState | undefined> {
  const { look } = await loadConsistency();
  const handle = openHandle(paths.database, 'look');
  try {
    handle.exec('BEGIN DEFERRED');
    requireSchema(handle);
    if (!isSound(handle, tally)) return undefined;
    const state = readState(handle);
    const isOwn = stateProblem(paths, state, tally);
    if (isOwn) await followAudit(paths, tally);
    let since = performance.now();
    for (const seen of look(handle, tally.rules)) {
      if (seen !== undefined) tally.add(seen);
      if (performance.now() - since < BUSY_MS) continue;
      await turn();
      signal?.throwIfAborted();
      since = performance.now();
    }
    return state;
  } catch (error) {
    throw toStorageError(error, paths.database);
  } finally {
    handle.close();
  }
}

/** A file whose pages are wrong is asked nothing more: no scan of it need end. */
function isSound(handle: Parameters<typeof requireSound>[0], tally: Tally): boolean {
  try {
    requireSound(handle);
    return true;
  } catch (error) {
    if (!isStorageError(error, 'DATABASE.CORRUPT') || !tally.asks('file-integrity')) throw error;
    tally.add({ rule: 'file-integrity', entity: 'database', found: error.message });
    for (const { rule } of tally.rules) {
      if (rule !== 'file-integrity') tally.add({ rule, unchecked: 'the file is damaged' });
    }
    return false;
  }
}

/** @returns whether the database is that of the tree */
function stateProblem(paths: HomePaths, state: StorageState | undefined, tally: Tally): boolean {
  try {
    requireOwnState(paths, state);
    return true;
  } catch (error) {
    if (!isStorageError(error, 'DATABASE.OTHER_STORE') && !isStorageError(error, 'DATABASE.STALE'))
      throw error;
    if (!tally.asks('store-state')) throw error;
    tally.add({ rule: 'store-state', entity: 'storage_state', found: error.message });
    if (tally.asks('audit-chain')) {
      tally.add({ rule: 'audit-chain', unchecked: 'the chain beside the tree is not that of this database' });
    }
    return false;
  }
}

async function followAudit(paths: HomePaths, tally: Tally): Promise<void> {
  if (!tally.asks('audit-chain')) return;
  try {
    const { problems } = await verifyAudit({ home: paths.home });
    for (const { where, seq, message } of problems) {
      const entity = where === 'database' ? `audit_log seq ${seq}` : `audit.ndjson seq ${seq}`;
      tally.add({ rule: 'audit-chain', entity, found: message });
    }
  } catch (error) {
    if (!isStorageError(error)) throw error;
    tally.add({ rule: 'audit-chain', unchecked: error.message });
  }
}

/** Counts findings by rule, and keeps the first of each. */
class Tally {
  private readonly found = new Map<string, { count: number; first: Omit<Inconsistency, 'rule'>[] }>();
  private readonly unchecked = new Map<string, string>();

  constructor(readonly rules: readonly ConsistencyRule[]) {}

  asks(name: string): boolean {
    return this.rules.some(({ rule }) => rule === name);
  }

  add(seen: NonNullable<Look>): void {
    if ('unchecked' in seen) {
      this.unchecked.set(seen.rule, seen.unchecked);
      return;
    }
    const { rule, entity, found } = seen;
    const of = this.found.get(rule) ?? { count: 0, first: [] };
    this.found.set(rule, of);
    of.count += 1;
    if (of.first.length < LISTED) of.first.push({ entity, found });
  }

  reports(): RuleReport[] {
    return this.rules.map((rule) => {
      const unchecked = this.unchecked.get(rule.rule);
      return {
        ...rule,
        ...(this.found.get(rule.rule) ?? { count: 0, first: [] }),
        ...(unchecked === undefined ? {} : { unchecked }),
      };
    });
  }
}
