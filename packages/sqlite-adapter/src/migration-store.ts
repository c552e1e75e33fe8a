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

import { APPLICATION_ID } from './handle.js';
import { toStorageError } from './sqlite-error.js';
import { indexTexts } from './search-fill.js';
import { atMost } from './stored-cell.js';

/** Scripts have three digits. */
const MOST_VERSIONS = 1_000;

/** What no SQL can do for the rows that are there when a script is applied, by the script's name; in its transaction. */
const completions: Readonly<Record<string, (handle: Database) => void>> = { text_search: indexTexts };

/** `schema_version` and `schema_info` of one database. */
export class SqliteSchemaStore implements SchemaStore {
  constructor(
    private readonly handle: Database,
    private readonly now: () => Date,
  ) {}

  listApplied(): readonly AppliedScript[] {
    const exists = this.handle
      .prepare(`SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'schema_version'`)
      .pluck()
      .get() as number;
    if (exists === 0) return [];
    return this.handle
      .prepare(
        `SELECT version, ${atMost('applied_at', 100)} AS appliedAt, ${atMost('description', 1000)} AS description,
                ${atMost('checksum', 100)} AS checksum
         FROM schema_version ORDER BY version LIMIT ${MOST_VERSIONS}`,
      )
      .all() as AppliedScript[];
  }

  /**
   * The script and its record in one `BEGIN IMMEDIATE`, foreign keys off before it (inside a transaction the pragma does
   * nothing) and checked before the commit. Source: sqlite.org/lang_altertable.html, section 7.
   */
  apply(script: SchemaScript): 'applied' | 'already' {
    const foreignKeys = this.handle.pragma('foreign_keys', { simple: true }) as number;
    this.handle.pragma('foreign_keys = OFF');
    try {
      return this.handle.transaction(() => this.applyOnce(script)).immediate();
    } catch (error) {
      const surroundings = notOfTheScript(error, this.handle.name);
      if (surroundings !== undefined) throw surroundings;
      const message = error instanceof Error ? error.message : String(error);
      throw new StorageError(
        'MIGRATION.FAILED',
        `schema version ${script.version} (${script.name}): ${message}`,
        {
          hint: 'nothing of this version was applied; report this with the message',
          details: { version: script.version },
          cause: error,
        },
      );
    } finally {
      this.handle.pragma(`foreign_keys = ${foreignKeys}`);
    }
  }

  private applyOnce(script: SchemaScript): 'applied' | 'already' {
    if (this.listApplied().some(({ version }) => version === script.version)) return 'already';
    this.handle.exec(script.up);
    completions[script.name]?.(this.handle);
    const broken = this.handle.pragma('foreign_key_check') as unknown[];
    if (broken.length > 0) throw new Error(`${broken.length} rows break a foreign key`);
    this.handle
      .prepare('INSERT INTO schema_version (version, applied_at, description, checksum) VALUES (?, ?, ?, ?)')
      .run(script.version, timeFromDate(this.now()), script.name, script.checksum);
    this.handle.prepare(`UPDATE schema_info SET value = ? WHERE key = 'version'`).run(String(script.version));
    this.handle.pragma(`application_id = ${APPLICATION_ID}`);
    this.handle.pragma(`user_version = ${script.version}`);
    return 'applied';
  }
}

const scriptCodes: readonly ErrorCode[] = ['SQLITE.FAILED', 'SQLITE.CONSTRAINT'];

/** A full disk, a lock, a damaged file: what keeps any script from being applied and is no fault of this one. */
function notOfTheScript(error: unknown, path: string): StorageError | undefined {
  const known = toStorageError(error, path);
  if (!isStorageError(known)) return undefined;
  const isDisk = String(known.details['sqlite']).startsWith('SQLITE_IOERR');
  return isDisk || !scriptCodes.includes(known.code) ? known : undefined;
}
