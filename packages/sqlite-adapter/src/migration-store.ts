import {
  isStorageError,
  StorageError,
  timeFromDate,
  type AppliedScript,
  type ErrorCode,
  type SchemaScript,
  type SchemaStore,
} from '@deespec/domain';
import type { Database } from 'better-sqlite3';

import { carryRecord } from './evidence-record.js';
import { schemaDifferences } from './expected-schema.js';
import { APPLICATION_ID } from './handle.js';
import { driftError } from './schema-drift.js';
import { requireNoLoss } from './schema-losses.js';
import { schemaScripts } from './scripts.js';
import { toStorageError } from './sqlite-error.js';
import { indexTexts } from './search-fill.js';
import { atMost } from './stored-cell.js';

/** Scripts have three digits. */
const MOST_VERSIONS = 1_000;

/** How long a starter waits for another one that applies the same scripts, milliseconds. */
const WAIT_MS = 30_000;

interface RawRow {
  readonly version: number;
  readonly appliedAt: string;
  readonly description: string;
  readonly checksum: string;
  readonly normalized: string | null;
  readonly durationMs: number | null;
}
/** What no SQL can do for the rows that are there when a script is applied, by the script's name; in its transaction. */
const completions: Readonly<Record<string, (handle: Database) => void>> = {
  text_search: (handle) => indexTexts(handle, false),
  search_parts: (handle) => indexTexts(handle, false),
  search_labels: (handle) => indexTexts(handle),
};

/** `schema_version` and `schema_info` of one database. */
export class SqliteSchemaStore implements SchemaStore {
  /**
   * @param evidence - `carried`: what the evidence of a migration says of the rows follows the change, in the same transaction, when
   *   it was true before: see `carryRecord`
   */
  constructor(
    private readonly handle: Database,
    private readonly now: () => Date,
    private readonly evidence: 'left' | 'carried' = 'left',
  ) {}

  listApplied(): readonly AppliedScript[] {
    const columns = this.columns();
    if (columns.size === 0) return [];
    const optional = (column: string, sql: string): string => (columns.has(column) ? sql : 'NULL');
    const rows = this.handle
      .prepare(
        `SELECT version, ${atMost('applied_at', 100)} AS appliedAt, ${atMost('description', 1000)} AS description,
                ${atMost('checksum', 100)} AS checksum, ${optional('normalized', atMost('normalized', 100))} AS normalized,
                ${optional('duration_ms', 'duration_ms')} AS durationMs
         FROM schema_version ORDER BY version LIMIT ${MOST_VERSIONS}`,
      )
      .all() as RawRow[];
    return rows.map(({ normalized, durationMs, ...row }) => ({
      ...row,
      ...(normalized === null ? {} : { normalized }),
      ...(durationMs === null ? {} : { durationMs }),
    }));
  }

  apply(script: SchemaScript): 'applied' | 'already' {
    return this.alone(script, () => {
      if (this.isApplied(script)) return 'already';
      this.change(script, script.version, () => {
        const startedMs = performance.now();
        this.handle.exec(script.up);
        completions[script.name]?.(this.handle);
        this.record(script, Math.round(performance.now() - startedMs));
      });
      return 'applied';
    });
  }

  revert(script: SchemaScript): 'reverted' | 'already' {
    return this.alone(script, () => {
      if (!this.isApplied(script)) return 'already';
      requireNoLoss(this.handle, script.version);
      this.change(script, script.version - 1, () => {
        this.handle.exec(script.down);
        this.handle.prepare('DELETE FROM schema_version WHERE version = ?').run(script.version);
        this.mark(script.version - 1);
      });
      return 'reverted';
    });
  }

  /**
   * One `BEGIN IMMEDIATE`, foreign keys off before it: inside a transaction the pragma does nothing, and a table that is rebuilt
   * would take its child rows with it. Source: sqlite.org/lang_altertable.html, section 7.
   */
  private alone<T>(script: SchemaScript, work: () => T): T {
    const foreignKeys = this.handle.pragma('foreign_keys', { simple: true }) as number;
    const waitMs = this.handle.pragma('busy_timeout', { simple: true }) as number;
    this.handle.pragma('foreign_keys = OFF');
    this.handle.pragma(`busy_timeout = ${WAIT_MS}`);
    try {
      if (this.handle.pragma('foreign_keys', { simple: true }) !== 0)
        throw new Error('foreign keys cannot be switched off inside a transaction');
      return this.handle.transaction(work).immediate();
    } catch (error) {
      throw failed(error, script, this.handle.name);
    } finally {
      this.handle.pragma(`foreign_keys = ${foreignKeys}`);
      this.handle.pragma(`busy_timeout = ${waitMs}`);
    }
  }

  /** Runs a script and proves before the commit that the rows are still there and the schema is that of version `leaves`. */
  private change(script: SchemaScript, leaves: number, run: () => void): void {
    const carry = this.evidence === 'carried' ? carryRecord(this.handle) : undefined;
    const before = this.countRows();
    run();
    const after = this.countRows();
    for (const [table, rows] of before) {
      const left = after.get(table);
      if (left !== undefined && left !== rows) throw new Error(`${table} has ${left} of ${rows} rows`);
    }
    const broken = this.handle.pragma('foreign_key_check') as unknown[];
    if (broken.length > 0) throw new Error(`${broken.length} rows break a foreign key`);
    this.requireExpected(script, leaves);
    carry?.();
  }

  private record(script: SchemaScript, durationMs: number): void {
    const { version, name, checksum, normalized } = script;
    const time = timeFromDate(this.now());
    const insert = 'INSERT INTO schema_version (version, applied_at, description, checksum';
    if (!this.columns().has('normalized')) {
      this.handle.prepare(`${insert}) VALUES (?, ?, ?, ?)`).run(version, time, name, checksum);
    } else {
      this.handle
        .prepare(`${insert}, normalized, duration_ms) VALUES (?, ?, ?, ?, ?, ?)`)
        .run(version, time, name, checksum, normalized, durationMs);
      this.completeRecords();
    }
    this.mark(version);
    this.handle.pragma(`application_id = ${APPLICATION_ID}`);
  }

  /** Scripts that ran before there was a place for the second hash get it: their bytes are those of this program's script. */
  private completeRecords(): void {
    const complete = this.handle.prepare(
      'UPDATE schema_version SET normalized = ? WHERE version = ? AND checksum = ? AND normalized IS NULL',
    );
    for (const { version, checksum, normalized } of schemaScripts())
      complete.run(normalized, version, checksum);
  }

  private mark(version: number): void {
    this.handle.prepare(`UPDATE schema_info SET value = ? WHERE key = 'version'`).run(String(version));
    this.handle.pragma(`user_version = ${version}`);
  }

  private isApplied({ version }: SchemaScript): boolean {
    return this.listApplied().some((row) => row.version === version);
  }

  private columns(): ReadonlySet<unknown> {
    return new Set(this.handle.prepare(`SELECT name FROM pragma_table_info('schema_version')`).pluck().all());
  }

  /** Rows of each table but the two that the change itself writes, and those in which FTS5 keeps words as it likes. */
  private countRows(): ReadonlyMap<string, number> {
    const tables = this.handle
      .prepare(
        `SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'
         AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT IN ('schema_version', 'schema_info', 'search_text_data', 'search_text_idx')`,
      )
      .pluck()
      .all() as string[];
    if (tables.length === 0) return new Map();
    const counts = tables.map((table, i) => `SELECT ${i} AS at, (SELECT count(*) FROM "${table}") AS rows`);
    const found = this.handle.prepare(counts.join(' UNION ALL ')).all() as { at: number; rows: number }[];
    return new Map(found.map(({ at, rows }) => [tables[at]!, rows]));
  }

  /** @throws StorageError as `driftError`, for a script of this program */
  private requireExpected({ version, checksum }: SchemaScript, leaves: number): void {
    if (schemaScripts()[version - 1]?.checksum !== checksum) return;
    const differences = schemaDifferences(this.handle, leaves);
    if (differences.length > 0) throw driftError(differences);
  }
}

const scriptCodes: readonly ErrorCode[] = ['SQLITE.FAILED', 'SQLITE.CONSTRAINT'];

function failed(error: unknown, { version, name }: SchemaScript, path: string): unknown {
  const surroundings = notOfTheScript(error, path);
  if (surroundings !== undefined) return surroundings;
  const message = error instanceof Error ? error.message : String(error);
  return new StorageError('MIGRATION.FAILED', `schema version ${version} (${name}): ${message}`, {
    hint: 'nothing of this version was changed; report this with the message',
    details: { version },
    cause: error,
  });
}

/** A full disk, a lock, a damaged file: what keeps any script from being applied and is no fault of this one. */
function notOfTheScript(error: unknown, path: string): StorageError | undefined {
  const known = toStorageError(error, path);
  if (!isStorageError(known)) return undefined;
  const isDisk = String(known.details['sqlite']).startsWith('SQLITE_IOERR');
  return isDisk || !scriptCodes.includes(known.code) ? known : undefined;
}
