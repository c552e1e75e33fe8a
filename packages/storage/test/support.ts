import { generateTree, type TreeLayout } from '@deespec/trees';
import { isStorageError, type ErrorCode, type StorageError } from '@deespec/domain';
import { openHandle } from '@deespec/sqlite-adapter';
import Database from 'better-sqlite3';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from '@jest/globals';

import { migrate, type MigrateReport } from '../src/index.js';

const made: string[] = [];

/** A new, empty directory; {@link removeDirectories} removes it. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'deespec-storage-'));
  made.push(path);
  return path;
}

export function removeDirectories(): void {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
}

/** The `.deespec` of a new project, not yet made. */
export function newHome(): string {
  return join(temporaryDirectory(), '.deespec');
}

/** A small generated tree. */
export function generatedTree(layout: TreeLayout = 'mixed', seed = 1): string {
  const home = newHome();
  generateTree(home, { layout, sbis: 6, seed });
  return home;
}

/** A generated tree that is migrated. */
export async function migratedTree(layout: TreeLayout = 'mixed'): Promise<string> {
  const home = generatedTree(layout);
  await migrate({ home });
  return home;
}

/** Writes a file below `home`, with its parents. */
export function put(home: string, path: string, content: string | Buffer): string {
  const file = join(home, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}

/** Ids of the SBIs in a tree whose directory holds a file of this name, in byte order: their directories below `home`. */
export function sbisWith(home: string, name: string): string[] {
  const root = join(home, 'specs/sbi');
  const names = readdirSync(root).toSorted();
  return names.filter((sbi) => existsSync(join(root, sbi, name))).map((sbi) => `specs/sbi/${sbi}`);
}

/** What `find` says of every entry below `directory`: mode, target, time and path, but for what is ours. */
export function listing(directory: string, format = '%m %l %p %T@\\0'): string[] {
  const ours = ['(', '-path', './deespec.db*', '-o', '-path', './.storage', ')', '-prune', '-o'];
  const args = ['.', '-mindepth', '1', ...ours, '-printf', format];
  return execFileSync('find', args, { cwd: directory, encoding: 'latin1', maxBuffer: 1e8 })
    .split('\0')
    .toSorted();
}

/** {@link listing} with times cut to the microsecond, which is what one can set. */
export function microsecondListing(directory: string): string[] {
  return listing(directory).map((line) => line.replace(/(\.\d{6})\d*$/u, '$1'));
}

/** What `diff -r` says: nothing, when names and bytes agree. Symlinks are compared, not followed. */
export function diff(left: string, right: string): string {
  const ours = ['-x', 'deespec.db', '-x', '.storage'];
  const options = { encoding: 'latin1', env: { ...process.env, LC_ALL: 'C' }, maxBuffer: 1e8 } as const;
  try {
    return execFileSync('diff', ['-r', '--no-dereference', ...ours, left, right], options);
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}

/** The bytes of a file, as a hash. */
export function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** Runs SQL on a database as a stranger would: no check of ours, no foreign keys. */
export function corrupt(home: string, sql: string): void {
  const handle = new Database(join(home, 'deespec.db'));
  try {
    handle.pragma('foreign_keys = OFF');
    handle.pragma('ignore_check_constraints = ON');
    handle.exec(sql);
  } finally {
    handle.close();
  }
}

/** Rows of a query on the database of a tree. */
export function rows(home: string, sql: string): unknown[] {
  const handle = openHandle(join(home, 'deespec.db'), 'read');
  try {
    return handle.prepare(sql).all();
  } finally {
    handle.close();
  }
}

/** The error that `work` ends with; fails when it does not, or with another code. */
export async function expectError(work: Promise<unknown>, code: ErrorCode): Promise<StorageError> {
  const error: unknown = await work.then(
    (value) => value,
    (reason: unknown) => reason,
  );
  if (!isStorageError(error)) throw new Error(`no StorageError: ${String(error)}`, { cause: error });
  expect(error.code).toBe(code);
  return error;
}

/** Nothing of a run that did not publish is left: no database, no run. */
export function expectNothingPublished(home: string): void {
  const names = readdirSync(home).filter((name) => name.startsWith('deespec.db'));
  expect({ names, runs: runsOf(home) }).toEqual({ names: [], runs: [] });
}

/** Names in `.storage/runs`. */
export function runsOf(home: string): string[] {
  const runs = join(home, '.storage/runs');
  return existsSync(runs) ? readdirSync(runs) : [];
}

/** What a run did, without what differs from run to run. */
export function outcomeOf(report: MigrateReport): unknown {
  const { outcome, digest, equation, written, rows: counts, ignored, findings, quarantined } = report;
  const { rounds, databaseBytes } = report;
  return {
    outcome,
    digest,
    equation,
    written,
    counts,
    ignored,
    findings,
    quarantined,
    rounds,
    databaseBytes,
  };
}

/**
 * How many runs a property makes: 25 by default and 100 in CI, from a fixed seed, so that a failure means a change of the
 * code; `DEESPEC_PROPERTY_RUNS` asks for more, from a new seed each time.
 */
export function propertyRuns(): { numRuns: number; seed?: number } {
  const asked = process.env['DEESPEC_PROPERTY_RUNS'];
  if (asked !== undefined) return { numRuns: Number(asked) };
  return { numRuns: process.env['CI'] === 'true' ? 100 : 25, seed: 20_260_000 };
}

/** Another process makes an SBI before this one goes on. @returns its id */
export function createElsewhere(home: string): string {
  return runElsewhere(
    home,
    `openStorage({ home, user: 'other' }).then(async (storage) => {
      const { id } = await storage.createSbi({ title: 'Made elsewhere', spec: '# x' });
      await storage.close();
      return id;
    })`,
  );
}

/** Another process calls this package before this one goes on. @returns what it printed */
export function runElsewhere(home: string, call: string): string {
  const program = `
    const { openStorage, sync } = await import('./dist/index.js');
    const home = process.argv[1];
    console.log(await ${call});`;
  const args = ['--input-type=module', '--eval', program, home];
  const cwd = join(import.meta.dirname, '..');
  return execFileSync(process.execPath, args, { cwd, encoding: 'utf8' }).trim();
}
