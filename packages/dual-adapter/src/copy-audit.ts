import { StorageError, type AuditRecord } from '@deespec/domain';

import type { SyncStores } from './keeping.js';

type Chains = Pick<SyncStores, 'files' | 'ledger'>;

/** So many records are held at once. */
const PAGE = 1_000;

/**
 * Completes the chains of changes of both stores from one another: one of them is the beginning of the other. Streams.
 *
 * @returns how many records were copied
 * @throws StorageError `AUDIT.BROKEN` at the first number under which they have different records, or that one of them lacks
 *   and has later ones of; what comes before it is copied
 */
export async function copyAudit(chains: Chains): Promise<number> {
  let copied = 0;
  for (let from: number | undefined = 0; from !== undefined;) {
    const page = compare(chains, from);
    if (page.outside.length > 0) await chains.ledger.settle([], page.outside);
    if (page.inside.length > 0) chains.files.appendAudit(page.inside);
    copied += page.outside.length + page.inside.length;
    if (page.broken !== undefined) throw broken(page.broken);
    from = page.next;
  }
  return copied;
}

/**
 * Adds the records of the database that the files lack to those outside it.
 *
 * @param after - the last record that the files have, when that is known: finding out reads all of them
 * @returns the last record that the files have now
 */
export function anchorAudit({ files, ledger }: Chains, after: number | undefined): number {
  let last = after ?? 0;
  if (after === undefined) for (const { seq } of files.auditSince(0)) last = Math.max(last, seq);
  for (;;) {
    const page: AuditRecord[] = [];
    for (const record of ledger.auditSince(last)) {
      page.push(record);
      if (page.length === PAGE) break;
    }
    if (page.length === 0) return last;
    files.appendAudit(page);
    last = page.at(-1)!.seq;
  }
}

/** Adds records of the files to the database, those before them too when it lacks them. @throws StorageError `AUDIT.BROKEN` */
export async function recordAudit(chains: Chains, records: readonly AuditRecord[]): Promise<void> {
  const { ledger } = chains;
  const missing = records.filter((record) => {
    const known = firstAfter(ledger, record.seq - 1);
    if (known === undefined) return true;
    if (known.seq === record.seq && known.hash === record.hash) return false;
    throw broken(record.seq);
  });
  const [first] = missing;
  if (first === undefined) return;
  if (first.seq > 1 && firstAfter(ledger, first.seq - 2) === undefined) await copyAudit(chains);
  else await ledger.settle([], missing);
}

function firstAfter(ledger: Chains['ledger'], seq: number): AuditRecord | undefined {
  for (const record of ledger.auditSince(seq)) return record;
  return undefined;
}

interface Page {
  /** Records that only the files have. */
  readonly outside: AuditRecord[];
  /** Records that only the database has. */
  readonly inside: AuditRecord[];
  /** Where to go on; absent at the end. */
  readonly next?: number;
  /** The number at which the chains do not fit. */
  readonly broken?: number;
}

function compare({ files, ledger }: Chains, from: number): Page {
  const page = { outside: [] as AuditRecord[], inside: [] as AuditRecord[] };
  const rest = ledger.auditSince(from)[Symbol.iterator]();
  let last = from;
  try {
    let inside = rest.next();
    for (const outside of files.auditSince(from)) {
      // Two processes may have added the same record at the same time.
      if (outside.seq <= last) continue;
      last = outside.seq;
      if (inside.done === true) page.outside.push(outside);
      else if (inside.value.seq !== outside.seq)
        return { ...page, broken: Math.min(inside.value.seq, outside.seq) };
      else if (inside.value.hash !== outside.hash) return { ...page, broken: outside.seq };
      else inside = rest.next();
      if (page.outside.length === PAGE) return { ...page, next: last };
    }
    for (; inside.done !== true; inside = rest.next()) {
      page.inside.push(inside.value);
      if (page.inside.length === PAGE) return { ...page, next: inside.value.seq };
    }
    return page;
  } finally {
    rest.return?.();
  }
}

function broken(seq: number): StorageError {
  return new StorageError(
    'AUDIT.BROKEN',
    `the audit records ${seq} of files and database do not fit together`,
    {
      hint: 'compare .storage/audit.ndjson with "deespec audit" and the last backup',
      details: { seq },
    },
  );
}
