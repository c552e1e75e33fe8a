import { StorageError, type AppliedScript, type SchemaScript } from '@deespec/domain';

/**
 * Compares the scripts of this program with those a database has applied.
 *
 * @returns the scripts still to apply, lowest version first
 * @throws StorageError `DATABASE.NEWER` when the database has a version this program does not know;
 *   `MIGRATION.MISSING` when an applied version is not the next one; `MIGRATION.CHECKSUM_MISMATCH` when a script was
 *   edited or renamed after it was applied
 */
export function planUp(
  scripts: readonly SchemaScript[],
  applied: readonly AppliedScript[],
): readonly SchemaScript[] {
  const newest = applied.at(-1)?.version ?? 0;
  if (newest > scripts.length) {
    throw new StorageError(
      'DATABASE.NEWER',
      `the database has schema version ${newest}; this program knows versions up to ${scripts.length}`,
      {
        hint: 'use the newer version of deespec that wrote it',
        details: { database: newest, program: scripts.length },
      },
    );
  }
  applied.forEach((row, i) => {
    const script = scripts[i];
    if (script === undefined || row.version !== script.version) {
      throw new StorageError('MIGRATION.MISSING', `schema version ${i + 1} has no record in schema_version`, {
        hint: 'restore the database from a backup, or move it away and run "deespec migrate"',
        details: { version: i + 1 },
      });
    }
    if (row.checksum !== script.checksum || row.description !== script.name) {
      throw new StorageError(
        'MIGRATION.CHECKSUM_MISMATCH',
        `script ${row.version} (${script.name}) is not the one that was applied`,
        {
          hint: 'scripts are never edited after release: install this version of the program again',
          details: { version: row.version, applied: row.checksum, script: script.checksum },
        },
      );
    }
  });
  return scripts.slice(applied.length);
}
