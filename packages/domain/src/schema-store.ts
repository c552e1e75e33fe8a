/** One version of the schema: two scripts, never edited after release. */
export interface SchemaScript {
  /** Counted from 1, without gaps. */
  readonly version: number;
  /** The name between number and suffix: `initial_schema`. */
  readonly name: string;
  readonly up: string;
  readonly down: string;
  /** SHA-256 (hex) of the `up` script's bytes. */
  readonly checksum: string;
  /** SHA-256 (hex) of what the `up` script says, whatever its comments, line ends and spaces: see docs/adr/0014. */
  readonly normalized: string;
}

/** One row of `schema_version`. */
export interface AppliedScript {
  readonly version: number;
  /** UTC, fixed width, see `parseTime`. */
  readonly appliedAt: string;
  readonly description: string;
  readonly checksum: string;
  /** Absent where the schema of the database has no place for it yet. */
  readonly normalized?: string;
  /** How long the script ran, milliseconds; absent like `normalized`, and for scripts that ran before there was a place. */
  readonly durationMs?: number;
}

/** What the schema engine needs of a database. Implemented by `@deespec/sqlite-adapter`. */
export interface SchemaStore {
  /** Applied scripts, lowest version first; `[]` for an empty database. */
  listApplied(): readonly AppliedScript[];
  /**
   * Runs the `up` script and writes its record in one transaction, foreign keys off before it and checked before the commit.
   * When another process applied the same version meanwhile, does nothing and returns `already`.
   *
   * @throws StorageError `MIGRATION.FAILED`; nothing of this version is applied then. `SQLITE.BUSY`
   */
  apply(script: SchemaScript): 'applied' | 'already';
  /**
   * Runs the `down` script of the newest version and removes its record in one transaction, likewise. When the version is not
   * applied, does nothing and returns `already`.
   *
   * @throws StorageError `SCHEMA.WOULD_LOSE` when rows are in the way that nothing else holds; `MIGRATION.FAILED`, `SQLITE.BUSY`
   */
  revert(script: SchemaScript): 'reverted' | 'already';
}
