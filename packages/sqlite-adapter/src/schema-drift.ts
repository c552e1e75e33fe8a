import { StorageError, type ErrorCode } from '@deespec/domain';

import type { SchemaDifference, SchemaObject } from './expected-schema.js';

/** Objects that an error names. */
const NAMED = 20;

/** What each kind of difference is to a database, and what mends it; the first that there is names the error. */
const kinds: readonly (readonly [kind: SchemaDifference['kind'], code: ErrorCode, hint: string])[] = [
  [
    'disguised',
    'SCHEMA.DISGUISED_OBJECT',
    'what stood under that name is gone, and what stands there now can answer anything: restore a backup, or move the database away and run "deespec migrate"',
  ],
  [
    'extra',
    'SCHEMA.EXTRA_OBJECT',
    'somebody added it by hand: "deespec schema verify" prints the SQL that removes it',
  ],
  [
    'missing',
    'SCHEMA.MISSING_OBJECT',
    'somebody dropped it by hand: "deespec schema verify" prints the SQL that makes it again',
  ],
];

/** The hint of a database that has to be made anew. */
export const REBUILD =
  'somebody changed the database by hand: "deespec schema verify" shows the difference; move it away and run "deespec migrate" to build it anew from the files';

/**
 * The error of a schema that is not what the scripts produce: one code for each kind of difference, `SCHEMA.DRIFT` for changed
 * objects and for several kinds at once.
 */
export function driftError(differences: readonly SchemaDifference[]): StorageError {
  const present = kinds.filter(([kind]) => differences.some((one) => one.kind === kind));
  const isOne = differences.every(({ kind }) => kind === present[0]?.[0]);
  const isDisguised = present[0]?.[0] === 'disguised';
  const [, code, hint] =
    present[0] !== undefined && (isOne || isDisguised)
      ? present[0]
      : ['changed', 'SCHEMA.DRIFT' as const, REBUILD];
  return new StorageError(code, `the schema is not what the scripts produce: ${listed(differences)}`, {
    hint,
    details: { drift: differences.slice(0, NAMED).map(sentenceOf) },
  });
}

function listed(differences: readonly SchemaDifference[]): string {
  const more = differences.length > NAMED ? `; and ${differences.length - NAMED} more` : '';
  return `${differences.slice(0, NAMED).map(sentenceOf).join('; ')}${more}`;
}

/** One difference in words. */
export function sentenceOf({ kind, type, name, found }: SchemaDifference): string {
  const what = `${type} ${name}`;
  if (kind === 'missing') return `${what} is missing`;
  if (kind === 'extra') return `${what} is not ours`;
  if (kind === 'changed') return `${what} differs`;
  if (kind === 'twice') return `${what} is listed twice`;
  return `${what} is missing; ${found?.type} ${name} is not ours`;
}

/**
 * SQL that would make the schema what the scripts produce, for people to read before they run it. What would lose rows is a comment.
 */
export function mendingSql(differences: readonly SchemaDifference[]): string[] {
  const virtual = differences.filter(({ kind, expected }) => kind === 'missing' && isVirtual(expected));
  return differences.flatMap((one) => {
    const { kind, expected, found } = one;
    // SQLite makes the tables behind a virtual one together with it.
    if (kind === 'missing' && virtual.some(({ name }) => one.name.startsWith(`${name}_`))) return [];
    const drop = found === undefined ? [] : [dropOf(found)];
    const make = expected?.sql == null ? [] : [`${expected.sql};`];
    const isTable = expected?.type === 'table' || found?.type === 'table';
    if (kind === 'twice') return commented(one, []);
    if (isTable && kind !== 'missing') return commented(one, [...drop, ...make]);
    return [...drop, ...make];
  });
}

function isVirtual(object: SchemaObject | undefined): boolean {
  return object?.sql?.startsWith('CREATE VIRTUAL TABLE') === true;
}

function dropOf({ type, name }: SchemaObject): string {
  return `DROP ${type.toUpperCase()} "${name.replaceAll('"', '""')}";`;
}

function commented(one: SchemaDifference, sql: readonly string[]): string[] {
  const lines = sql.flatMap((statement) => statement.split('\n'));
  return [`-- ${sentenceOf(one)}: this would lose its rows`, ...lines.map((line) => `-- ${line}`)];
}
