import type { AuditRecord } from '@deespec/domain';
import { openFileStorage } from '@deespec/file-adapter';
import { isChained } from '@deespec/layout';
import { openSqliteStorage } from '@deespec/sqlite-adapter';

import { findDatabase } from './database.js';
import { homePaths, type HomePaths } from './home.js';
import { grantedMode } from './setting.js';

/** What {@link verifyAudit} found. */
export interface AuditReport {
  readonly ok: boolean;
  /** Records in the database, and outside it. */
  readonly records: { readonly database: number; readonly outside: number };
  /** The last record that both have: whoever keeps it elsewhere can prove later that nothing before it was changed. */
  readonly head?: { readonly seq: number; readonly hash: string };
  /** At most 100. */
  readonly problems: readonly AuditProblem[];
}

/** A record that is not what it should be. */
export interface AuditProblem {
  readonly where: 'database' | 'outside';
  readonly seq: number;
  readonly message: string;
}

const LISTED = 100;

/**
 * Follows the chain of changes in the database and outside it, and compares the two. Reads only.
 *
 * @throws StorageError `MODE.*`, `DATABASE.*`
 */
export async function verifyAudit({ home }: { readonly home: string }): Promise<AuditReport> {
  const paths = homePaths(home);
  const mode = await grantedMode(paths);
  const inside = await recordsInside(paths);
  const files = openFileStorage({ home: paths.home }).store;
  const outside = [...files.auditSince(0)];
  // Under file truth the database gets its records later: in mode file with the change of mode, else with the debt.
  const isWhole = mode === 'sqlite' || (mode === 'dual_write' && files.fileDebts().length === 0);
  const problems = [...chainProblems('database', inside), ...chainProblems('outside', outside)];
  const byNumber = new Map(outside.map((record) => [record.seq, record.hash]));
  for (const { seq, hash } of inside) {
    const other = byNumber.get(seq);
    if (other !== undefined && other !== hash) {
      problems.push({ where: 'database', seq, message: 'is another record than outside the database' });
    }
  }
  const last = inside.at(-1);
  const lost = isWhole ? outside.filter(({ seq }) => seq > (last?.seq ?? 0)) : [];
  for (const { seq } of lost) {
    problems.push({ where: 'database', seq, message: 'is missing; it is kept outside the database' });
  }
  const common = inside.findLast(({ seq, hash }) => byNumber.get(seq) === hash) ?? outside.at(-1);
  return {
    ok: problems.length === 0,
    records: { database: inside.length, outside: outside.length },
    ...(common === undefined ? {} : { head: { seq: common.seq, hash: common.hash } }),
    problems: problems.slice(0, LISTED),
  };
}

async function recordsInside(paths: HomePaths): Promise<AuditRecord[]> {
  if (findDatabase(paths) === undefined) return [];
  const database = await openSqliteStorage({ path: paths.database });
  try {
    return [...database.store.auditSince(0)];
  } finally {
    await database.close();
  }
}

function chainProblems(where: AuditProblem['where'], records: readonly AuditRecord[]): AuditProblem[] {
  const problems: AuditProblem[] = [];
  let before: AuditRecord | undefined;
  for (const record of records) {
    if (!isChained(record, before)) {
      problems.push({
        where,
        seq: record.seq,
        message: 'was changed, or does not follow the record before it',
      });
    }
    before = record;
  }
  return problems;
}
