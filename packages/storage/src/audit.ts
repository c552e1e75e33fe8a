import { modeMeanings, type AuditRecord } from '@deespec/domain';
import { openFileStorage } from '@deespec/file-adapter';
import { isChained } from '@deespec/layout';
import { readAudit } from '@deespec/sqlite-adapter';

import { findDatabase } from './database.js';
import { homePaths } from './home.js';
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
 * Follows the chain of changes in the database and outside it, side by side, and compares the two. Reads only; one record of each in
 * memory.
 *
 * @throws StorageError `MODE.*`, `DATABASE.*`
 */
export async function verifyAudit({ home }: { readonly home: string }): Promise<AuditReport> {
  const paths = homePaths(home);
  const mode = await grantedMode(paths);
  const files = openFileStorage({ home: paths.home }).store;
  // Under file truth the database gets its records later: in mode file with the change of mode, else with the debt.
  const isWhole =
    modeMeanings[mode].reads === 'sqlite' || (mode === 'dual_write' && files.fileDebts().length === 0);
  const check = new AuditCheck(isWhole);
  const inside = findDatabase(paths) === undefined ? [] : readAudit(paths.database);
  for (const pair of sideBySide(inside, files.auditSince(0))) check.take(pair);
  return check.report();
}

/** One change as both have it. */
interface Pair {
  readonly inside: AuditRecord | undefined;
  readonly outside: AuditRecord | undefined;
  /** True when the database has no further record. */
  readonly isInsideOver: boolean;
}

function* sideBySide(inside: Iterable<AuditRecord>, outside: Iterable<AuditRecord>): Generator<Pair> {
  const [lefts, rights] = [inside[Symbol.iterator](), outside[Symbol.iterator]()];
  try {
    let [left, right] = [lefts.next(), rights.next()];
    while (left.done !== true || right.done !== true) {
      const [one, other] = [
        left.done === true ? undefined : left.value,
        right.done === true ? undefined : right.value,
      ];
      const hasLeft = one !== undefined && (other === undefined || one.seq <= other.seq);
      const hasRight = other !== undefined && (one === undefined || other.seq <= one.seq);
      yield {
        inside: hasLeft ? one : undefined,
        outside: hasRight ? other : undefined,
        isInsideOver: one === undefined,
      };
      if (hasLeft) left = lefts.next();
      if (hasRight) right = rights.next();
    }
  } finally {
    lefts.return?.();
    rights.return?.();
  }
}

/** Follows both chains. */
class AuditCheck {
  readonly #problems: AuditProblem[] = [];
  readonly #counts = { database: 0, outside: 0 };
  readonly #last: { database?: AuditRecord; outside?: AuditRecord } = {};
  #common: AuditRecord | undefined;
  #isOk = true;

  /** @param isWhole - the database must have every record that stands outside it */
  constructor(private readonly isWhole: boolean) {}

  take({ inside, outside, isInsideOver }: Pair): void {
    if (inside !== undefined) this.#follow('database', inside);
    if (outside !== undefined) this.#follow('outside', outside);
    if (inside !== undefined && outside !== undefined) {
      if (inside.hash === outside.hash) this.#common = inside;
      else this.#note('database', inside, 'is another record than outside the database');
    }
    if (outside !== undefined && isInsideOver && this.isWhole) {
      this.#note('database', outside, 'is missing; it is kept outside the database');
    }
  }

  report(): AuditReport {
    const head = this.#common ?? this.#last.outside;
    return {
      ok: this.#isOk,
      records: { ...this.#counts },
      ...(head === undefined ? {} : { head: { seq: head.seq, hash: head.hash } }),
      problems: this.#problems,
    };
  }

  #follow(where: AuditProblem['where'], record: AuditRecord): void {
    if (!isChained(record, this.#last[where])) {
      this.#note(where, record, 'was changed, or does not follow the record before it');
    }
    this.#last[where] = record;
    this.#counts[where] += 1;
  }

  #note(where: AuditProblem['where'], { seq }: AuditRecord, message: string): void {
    this.#isOk = false;
    if (this.#problems.length < LISTED) this.#problems.push({ where, seq, message });
  }
}
