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
}

/** One row of `schema_version`. */
export interface AppliedScript {
  readonly version: number;
  /** UTC, fixed width, see `parseTime`. */
  readonly appliedAt: string;
  readonly description: string;
  readonly checksum: string;
}

/** What the schema engine needs of a database. Implemented by `@deespec/sqlite-adapter`. */
export interface SchemaStore {
  /** Applied scripts, lowest version first; `[]` for an empty database. */
  listApplied(): readonly AppliedScript[];
  /**
   * Runs the script and writes its record in one transaction, foreign keys off before it and checked before the commit.
   * When another process applied the same version meanwhile, does nothing and returns `already`.
   *
   * @throws StorageError `MIGRATION.FAILED`; nothing of this version is applied then
   */
  apply(script: SchemaScript): 'applied' | 'already';
}
