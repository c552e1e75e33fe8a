import { StorageError, type AuditNote, type AuditRecord } from '@deespec/domain';
import { chainAudit, isChained } from '@deespec/layout';
import type { Database, Statement } from 'better-sqlite3';

import { openHandle } from './handle.js';
import { requireSchema } from './schema.js';
import { toStorageError } from './sqlite-error.js';
import { atMost, CELL_BYTES, storedInteger, storedText } from './stored-cell.js';

/** Columns of `audit_log` that a record of the chain has, with its fields. */
const columns = {
  timestamp: 'timestamp',
  entity_type: 'entityType',
  entity_id: 'entityId',
  action: 'action',
  old_value: 'oldValue',
  new_value: 'newValue',
  user: 'user',
  session_id: 'sessionId',
  request_id: 'requestId',
  old_hash: 'oldHash',
  new_hash: 'newHash',
  seq: 'seq',
  previous: 'previous',
  hash: 'hash',
} as const satisfies Readonly<Record<string, keyof AuditRecord>>;

const names = Object.keys(columns) as (keyof typeof columns)[];
const SELECT = `SELECT ${names.map((name) => `${atMost(name, CELL_BYTES)} AS ${name}`).join(', ')} FROM audit_log`;

/** Rows that are read at a time. */
const PAGE = 500;

/** The chain of changes in `audit_log`: rows with a `seq`. Every statement runs in the caller's transaction. */
export class AuditRows {
  private readonly insert: Statement;
  private readonly last: Statement;
  private readonly one: Statement;
  private readonly after: Statement;

  constructor(handle: Database) {
    const places = names.map(() => '?').join(', ');
    this.insert = handle.prepare(`INSERT INTO audit_log (${names.join(', ')}) VALUES (${places})`);
    this.last = handle.prepare(
      `${SELECT} WHERE audit_log.seq IS NOT NULL ORDER BY audit_log.seq DESC LIMIT 1`,
    );
    this.one = handle.prepare(`${SELECT} WHERE audit_log.seq = ?`);
    this.after = handle.prepare(`${SELECT} WHERE audit_log.seq > ? ORDER BY audit_log.seq LIMIT ${PAGE}`);
  }

  /** Adds notes to the chain. */
  append(notes: readonly AuditNote[]): AuditRecord[] {
    let head = this.head();
    return notes.map((note) => {
      const record = chainAudit(note, head);
      this.put(record);
      head = record;
      return record;
    });
  }

  /**
   * Adds records that were chained elsewhere; those that are here already are left.
   *
   * @throws StorageError `AUDIT.BROKEN` for one that is not the same here, or does not follow the last
   */
  merge(records: readonly AuditRecord[]): void {
    let head = this.head();
    for (const record of records) {
      if (head !== undefined && record.seq <= head.seq) {
        this.requireSame(record);
        continue;
      }
      if (!isChained(record, head)) throw broken(record, `does not follow change ${head?.seq ?? 0}`);
      this.put(record);
      head = record;
    }
  }

  /** Records after `seq`, in order; a page in memory. */
  *since(seq: number): Generator<AuditRecord> {
    let last = seq;
    for (;;) {
      const page = (this.after.all(last) as RawRow[]).map(fromRaw);
      yield* page;
      if (page.length < PAGE) return;
      last = page.at(-1)!.seq;
    }
  }

  private head(): AuditRecord | undefined {
    const raw = this.last.get() as RawRow | undefined;
    return raw === undefined ? undefined : fromRaw(raw);
  }

  private requireSame(record: AuditRecord): void {
    const raw = this.one.get(record.seq) as RawRow | undefined;
    const found = raw === undefined ? undefined : fromRaw(raw);
    const isSame =
      found !== undefined && names.every((name) => found[columns[name]] === record[columns[name]]);
    if (!isSame) throw broken(record, 'is another one in the database');
  }

  private put(record: AuditRecord): void {
    this.insert.run(...names.map((name) => record[columns[name]] ?? null));
  }
}

/** The whole chain of a database of ours, in order, on a connection of its own that writes nothing. @throws StorageError `DATABASE.*` */
export function* readAudit(database: string): Generator<AuditRecord> {
  const handle = openHandle(database, 'look');
  try {
    requireSchema(handle);
    yield* new AuditRows(handle).since(0);
  } catch (error) {
    throw toStorageError(error, database);
  } finally {
    handle.close();
  }
}

type RawRow = Readonly<Record<keyof typeof columns, unknown>>;

function fromRaw(raw: RawRow): AuditRecord {
  const where = `audit_log seq ${typeof raw.seq === 'number' ? raw.seq : ''}`;
  const values = names.flatMap((name): [string, string | number][] => {
    const value = raw[name];
    if (value === null) return [];
    return [[columns[name], name === 'seq' ? storedInteger(value, where) : storedText(value, where)]];
  });
  for (const name of ['timestamp', 'entity_type', 'entity_id', 'action', 'previous', 'hash'] as const) {
    storedText(raw[name], where);
  }
  return Object.fromEntries(values) as unknown as AuditRecord;
}

function broken({ seq }: AuditRecord, what: string): StorageError {
  return new StorageError('AUDIT.BROKEN', `change ${seq} of the audit log ${what}`, {
    hint: 'run "deespec verify --check-all"; nothing was changed',
    details: { seq },
  });
}
