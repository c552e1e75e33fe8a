import { StorageError, type AppliedScript, type SchemaScript } from '@deespec/domain';

/**
 * Compares the scripts of this program with those a database has applied.
 *
 * @param to - the version to reach; absent: the newest
 * @returns the scripts still to apply, lowest version first
 * @throws StorageError `DATABASE.NEWER` when the database has a version this program does not know;
 *   `MIGRATION.MISSING` when an applied version is not the next one; `MIGRATION.CHECKSUM_MISMATCH` when a script was
 *   edited or renamed after it was applied; `USAGE.INVALID` for a version that is no target
 */
export function planUp(
  scripts: readonly SchemaScript[],
  applied: readonly AppliedScript[],
  to = scripts.length,
): readonly SchemaScript[] {
  requireApplied(scripts, applied);
  requireTarget(to, { least: applied.length, most: scripts.length });
  return scripts.slice(applied.length, to);
}

/**
 * The scripts to take back until `to` is the newest version that is applied, newest first. The first version is never taken back:
 * without it there is no database.
 *
 * @throws StorageError as {@link planUp}
 */
export function planDown(
  scripts: readonly SchemaScript[],
  applied: readonly AppliedScript[],
  to: number,
): readonly SchemaScript[] {
  requireApplied(scripts, applied);
  requireTarget(to, { least: 1, most: applied.length });
  return scripts.slice(to, applied.length).toReversed();
}

/** True when the script is the one that was applied: the same bytes, or other bytes that say the same. */
export function isSameScript(script: SchemaScript, row: AppliedScript): boolean {
  if (row.description !== script.name) return false;
  return row.checksum === script.checksum || row.normalized === script.normalized;
}

function requireApplied(scripts: readonly SchemaScript[], applied: readonly AppliedScript[]): void {
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
    if (script === undefined || row.version !== script.version) throw unrecorded(i + 1);
    if (!isSameScript(script, row)) throw edited(script, row);
  });
}

function unrecorded(version: number): StorageError {
  return new StorageError('MIGRATION.MISSING', `schema version ${version} has no record in schema_version`, {
    hint: 'restore the database from a backup, or move it away and run "deespec migrate"',
    details: { version },
  });
}

function edited(script: SchemaScript, row: AppliedScript): StorageError {
  return new StorageError(
    'MIGRATION.CHECKSUM_MISMATCH',
    `script ${row.version} (${script.name}) is not the one that was applied`,
    {
      hint: 'scripts are never edited after release: install the version of the program that wrote the database',
      details: { version: row.version, applied: row.checksum, script: script.checksum },
    },
  );
}

function requireTarget(to: number, { least, most }: { readonly least: number; readonly most: number }): void {
  if (Number.isInteger(to) && to >= least && to <= most) return;
  const range = least === most ? `only version ${most}` : `versions ${least} to ${most}`;
  throw new StorageError('USAGE.INVALID', `schema version ${to} cannot be reached from here`, {
    hint: `this way leads to ${range}; "deespec schema status" shows where the database stands`,
    details: { to, least, most },
  });
}
