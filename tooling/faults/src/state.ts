import { expectedSchema, latestEvidence, openHandle } from '@deespec/sqlite-adapter';
import { digestTree, verifyTree } from '@deespec/verifier';
import { copyFileSync, existsSync, lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import type { JobOperation } from './operation.js';
import { hashOf, isCanaryAlive, type Place } from './place.js';

/** What a place held before the command. */
export interface Before {
  /** Digest of the tree. */
  readonly source: string;
  /** SHA-256 of the database file; absent when there was none. */
  readonly database: string | undefined;
}

/** Looks at a place before the command. */
export async function stateBefore(place: Place): Promise<Before> {
  return { source: (await digestTree(place.home)).digest, database: hashOf(place.database) };
}

/** Which state a command left behind. */
export type Left = 'old' | 'new';

/**
 * What is wrong with a place after a command ended in whatever way: the source must be what it was, the target the old or the
 * new state, and nothing else may have changed. Looks without the product's use cases; a database on a copy of its own.
 */
export async function judge(
  operation: Pick<JobOperation, 'makes'>,
  place: Place,
  before: Before,
): Promise<{ readonly wrong: string[]; readonly left: Left }> {
  const wrong: string[] = [];
  if ((await digestTree(place.home)).digest !== before.source) wrong.push('the source changed');
  if (!isCanaryAlive(place)) wrong.push('something was written beside the tree');
  const database = await judgeDatabase(place, before);
  wrong.push(...database.wrong);
  if (operation.makes === 'database') return { wrong, left: database.left };
  if (database.left === 'new' && operation.makes === 'export') wrong.push('the export changed the database');
  if (operation.makes === 'evidence') return { wrong, left: database.left };
  const output = await judgeExport(place, before);
  return { wrong: [...wrong, ...output.wrong], left: output.left };
}

async function judgeDatabase(place: Place, before: Before): Promise<{ wrong: string[]; left: Left }> {
  const now = hashOf(place.database);
  const hasJournal = existsSync(`${place.database}-journal`);
  if (now === before.database && !hasJournal) return { wrong: [], left: 'old' };
  if (now === undefined) return { wrong: ['the database is gone'], left: 'old' };
  const wrong = await withCopy(place, (copy) => wrongWith(copy, place));
  return { wrong: wrong.map((what) => `the database is neither old nor new: ${what}`), left: 'new' };
}

/** A database that is not the old file must hold the tree, verified, with its evidence. */
async function wrongWith(copy: string, place: Place): Promise<string[]> {
  try {
    const handle = openHandle(copy, 'write');
    const evidence = latestEvidence(handle, 'migrate');
    handle.close();
    if (evidence === undefined) return ['it has no evidence'];
    const { differenceCount, differences, treeDigest } = await verifyTree({
      home: place.home,
      database: copy,
      expectedSchema: expectedSchema(),
      checkAll: true,
    });
    const listed = differences.slice(0, 3).map(({ what, where, actual }) => `${what} ${where}: ${actual}`);
    if (differenceCount > 0) return [`${differenceCount} differences: ${listed.join('; ')}`];
    return evidence.digest === treeDigest ? [] : ['its evidence has another digest'];
  } catch (error) {
    return [(error as Error).message];
  }
}

/** Lets `work` look at a copy of the database: nothing is opened where it lies. */
export async function withCopy<T>(place: Place, work: (copy: string) => Promise<T>): Promise<T> {
  const directory = join(dirname(place.directory), `${basename(place.directory)}-look`);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory);
  const copy = join(directory, 'deespec.db');
  for (const end of ['', '-journal', '-wal', '-shm']) {
    if (existsSync(place.database + end)) copyFileSync(place.database + end, copy + end);
  }
  try {
    return await work(copy);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function judgeExport(place: Place, before: Before): Promise<{ wrong: string[]; left: Left }> {
  if (!existsSync(place.output)) return { wrong: [], left: 'old' };
  const { digest } = await digestTree(place.output);
  return { wrong: digest === before.source ? [] : ['the export is not complete'], left: 'new' };
}

const ownNames = new Set([
  ...['.gitignore', 'epoch', 'last-scan', 'lock.db', 'processes', 'runs'],
  ...['rebuild', 'rehearsal', 'rehearsal.json', 'reports', 'run.db'],
  ...['audit.ndjson', 'conflicts', 'copies', 'dirty', 'payer.db', 'trash', 'writer.db'],
  ...['backup.db', 'backups'],
]);

/** What runs left behind that nobody needs: names below the place. Empty after a command that succeeded. */
export function residue(place: Place): string[] {
  const own = join(place.home, '.storage');
  const inside = ['dirty', 'processes', 'runs'].flatMap((name) =>
    list(join(own, name)).map((entry) => `.storage/${name}/${entry}`),
  );
  const strange = list(own).filter((name) => !ownNames.has(name));
  const sidecars = list(place.home).filter((name) => /^deespec\.db-|^\.tmp/u.test(name));
  const outputs = list(dirname(place.output)).filter((name) => name !== basename(place.output));
  return [
    ...inside,
    ...strange.map((name) => `.storage/${name}`),
    ...sidecars,
    ...outputs.map((name) => `out/${name}`),
  ];
}

function list(directory: string): string[] {
  return lstatSync(directory, { throwIfNoEntry: false })?.isDirectory() === true
    ? readdirSync(directory)
    : [];
}
