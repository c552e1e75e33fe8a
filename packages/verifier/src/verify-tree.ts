import type Database from 'better-sqlite3';
import { isStorageError, StorageError } from '@deespec/domain';
import { availableParallelism } from 'node:os';
import { collectGarbage } from './collect-garbage.js';
import { checkForeignKeys, checkIntegrity, checkSchema, checkUnreferenced } from './database-checks.js';
import type { SchemaObject } from './database-checks.js';
import { databaseError } from './database-error.js';
import { DiskProcess } from './disk-process.js';
import { Differences, type Difference } from './differences.js';
import { Pace, type RunControl } from './pace.js';
import { SideBySide, type Sides, type TreeComparison } from './side-by-side.js';
import { StoredTree } from './stored-tree.js';
import { TreeScan } from './tree-scan.js';

/** A database of this many bytes takes longer to compare than a process takes to start. Source: measured. */
const apartBytes = 16 * 1_048_576;

/** What a load or an export of so large a database leaves in memory is more than what collecting it costs. Source: measured. */
const collectBytes = 256 * 1_048_576;

/** What {@link verifyTree} takes. */
export interface VerifyTreeOptions extends RunControl {
  /** The `.deespec` directory. */
  readonly home: string;
  /** The database file. */
  readonly database: string;
  /** A connection to it that reads in a transaction: its moment is compared, whatever is written since. Its owner closes it. */
  readonly connection?: Database.Database | undefined;
  /** What the schema scripts produce: rows of `sqlite_schema`. */
  readonly expectedSchema: readonly SchemaObject[];
  /** Re-read every byte of both sides and check the whole database, instead of trusting sizes and times that agree. */
  readonly checkAll?: boolean | undefined;
}

/** What a verification found. */
export interface TreeVerification extends TreeComparison {
  /** The first 1,000; those of the database as a whole first, then by path. */
  readonly differences: readonly Difference[];
  /** All of them. */
  readonly differenceCount: number;
  /** Of each of `differences` that is about an entry which both sides hold differently: its path, a byte string. */
  readonly paths: ReadonlyMap<Difference, string>;
}

/**
 * Compares the tree at `home` with the one in `database`, path by path in byte order, by a way of its own: own directory
 * walk, own SQL. One read transaction, so the database is seen at one moment. Changes neither side.
 *
 * Without `checkAll` a file is read when its size or time is not the recorded one, stored contents are not read, and there
 * are no digests. The check of the whole database by SQLite blocks the event loop while it runs.
 *
 * @returns differences as values, never as errors
 * @throws StorageError as `digestTree`, of the tree
 * @throws StorageError `DATABASE.NOT_FOUND`, `SQLITE.BUSY` (when it is locked for 2 s), `SQLITE.FAILED`
 * @throws StorageError `DATABASE.CORRUPT` when it cannot be read to its end, `SCHEMA.DRIFT` when the tables of the
 *   tree are not those of the scripts; `details.differences` has what was found before
 *
 * Source: migration strategy, "Validation Rules"; docs/digest.md.
 */
export async function verifyTree(options: VerifyTreeOptions): Promise<TreeVerification> {
  const differences = new Differences();
  try {
    if (options.connection !== undefined)
      return await verify(options, StoredTree.within(options.connection), differences);
    const stored = StoredTree.open(options.database);
    try {
      return await verify(options, stored, differences);
    } finally {
      stored.close();
    }
  } catch (error) {
    if (isStorageError(error)) throw error;
    throw databaseError(error, options.database, differences.kept);
  }
}

async function verify(
  options: VerifyTreeOptions,
  stored: StoredTree,
  differences: Differences,
): Promise<TreeVerification> {
  const pace = new Pace(options);
  const depth = options.checkAll === true ? 'content' : 'stat';
  await pace.turn();
  const scan = new TreeScan(options.home, pace);
  const isApart = depth === 'content' && stored.bytes >= apartBytes && availableParallelism() > 1;
  const process = isApart ? new DiskProcess(options.home, scan, pace) : undefined;
  if (isApart && stored.bytes >= collectBytes) collectGarbage();
  try {
    return await compare(options, { scan, process, stored, differences, pace, depth });
  } finally {
    process?.close();
  }
}

async function compare(options: VerifyTreeOptions, sides: Sides): Promise<TreeVerification> {
  const { stored, differences, pace, depth } = sides;
  const schema = checkSchema(stored, options.expectedSchema, differences);
  if (schema === 'unreadable') throw drift(options.database, differences);
  // What an object of somebody else would do is not tried; a file whose pages are wrong is not scanned more than needed.
  if (depth === 'content' && schema === 'same' && checkIntegrity(stored, differences)) {
    await checkForeignKeys(stored, differences, pace);
    await checkUnreferenced(stored, differences, pace);
  }
  const comparison = new SideBySide(sides);
  try {
    const compared = await comparison.run();
    await pace.turn();
    const { kept, count, paths } = differences;
    return { ...compared, differences: kept, differenceCount: count, paths };
  } finally {
    comparison.close();
  }
}

function drift(database: string, differences: Differences): StorageError {
  return new StorageError(
    'SCHEMA.DRIFT',
    `the tables of "${database}" are not those that the schema scripts make`,
    {
      hint: 'restore it from a backup, or move it away and migrate the tree again',
      details: { database, differences: differences.kept },
    },
  );
}
