import type { AppliedScript, SchemaScript } from '@deespec/domain';

import { isSameScript } from './plan.js';

/**
 * How a script and the database stand to one another: `reformatted` is applied, with other comments or spaces; `edited` says
 * something else than what was applied; `unrecorded` must have been applied, since a later one was; `newer` is not of this program.
 */
export type ScriptState = 'applied' | 'reformatted' | 'edited' | 'unrecorded' | 'pending' | 'newer';

/** One version of the schema as this program and a database know it. */
export interface DescribedScript {
  readonly version: number;
  readonly name: string;
  readonly state: ScriptState;
  /** UTC, fixed width; absent while it is not applied. */
  readonly appliedAt?: string;
  /** Milliseconds; absent where it was not recorded. */
  readonly durationMs?: number;
  /** Of the script that was applied; of this program's while none is. */
  readonly checksum: string;
}

/** Every version that either knows, lowest first. */
export function describeScripts(
  scripts: readonly SchemaScript[],
  applied: readonly AppliedScript[],
): readonly DescribedScript[] {
  const rows = new Map(applied.map((row) => [row.version, row]));
  const newest = applied.at(-1)?.version ?? 0;
  const known = scripts.map((script) => describe(script, rows.get(script.version), newest));
  const others = applied.filter(({ version }) => version > scripts.length);
  return [
    ...known,
    ...others.map((row) => ({ ...facts(row), name: row.description, state: 'newer' as const })),
  ];
}

function describe(script: SchemaScript, row: AppliedScript | undefined, newest: number): DescribedScript {
  const { version, name, checksum } = script;
  if (row === undefined) {
    return { version, name, checksum, state: version < newest ? 'unrecorded' : 'pending' };
  }
  const state = row.checksum === checksum ? 'applied' : 'reformatted';
  return { ...facts(row), name, state: isSameScript(script, row) ? state : 'edited' };
}

function facts({
  version,
  appliedAt,
  durationMs,
  checksum,
}: AppliedScript): Omit<DescribedScript, 'name' | 'state'> {
  return { version, appliedAt, checksum, ...(durationMs === undefined ? {} : { durationMs }) };
}
