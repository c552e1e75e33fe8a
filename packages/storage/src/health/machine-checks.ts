import { isStorageError, systemCode } from '@deespec/domain';
import { accessSync, constants, lstatSync, statfsSync } from 'node:fs';
import { join } from 'node:path';

import type { HomePaths } from '../home.js';
import { readManifest } from '../manifest.js';
import { networkFileSystem, requireOwner, unsafeDirectories } from '../preflight.js';
import { check, failed, ok, type Found, type Made } from './check.js';
import { formatSpan } from './limits.js';

// Imports nothing that needs SQLite: where that cannot be loaded, these checks say so.

/** What this package asks of Node, as its manifest says: `^20.19.0 || >=24.11.0`. */
function nodeFound(): Found {
  const { version, engines } = readManifest();
  const value = `${process.version}, ABI ${process.versions.modules}; deespec ${version}`;
  if (engines.node.split('||').some((range) => isWithin(process.versions.node, range.trim()))) {
    return ok(value, { threshold: engines.node });
  }
  return { status: 'fail', value, threshold: engines.node, fix: `install a Node that is ${engines.node}` };
}

/** @param range - `^1.2.3` or `>=1.2.3` */
function isWithin(version: string, range: string): boolean {
  const [have, want] = [version, range.replace(/^\D+/u, '')].map((text) => text.split('.').map(Number));
  const different = want!.findIndex((part, index) => have![index] !== part);
  const isLater = different < 0 || have![different]! > want![different]!;
  return isLater && (range.startsWith('>=') || different !== 0);
}

/** The compiled part of better-sqlite3, and the library in it. */
export async function sqliteFound(): Promise<Found> {
  try {
    const { openHandle, sqliteVersion } = await import('@deespec/sqlite-adapter');
    const handle = openHandle(':memory:', 'build');
    try {
      const options = handle.pragma('compile_options', { simple: false }) as { compile_options: string }[];
      return optionsFound(
        sqliteVersion(handle),
        options.map((row) => row.compile_options),
      );
    } finally {
      handle.close();
    }
  } catch (error) {
    return unloadable(error);
  }
}

/** What the database needs of SQLite beside its version, which every connection checks. */
const NEEDED = ['ENABLE_FTS5'];
const FORBIDDEN = ['OMIT_WAL', 'OMIT_JSON', 'OMIT_FOREIGN_KEY', 'THREADSAFE=0'];

function optionsFound(version: string, options: readonly string[]): Found {
  const wrong = [
    ...NEEDED.filter((option) => !options.includes(option)).map((option) => `without ${option}`),
    ...FORBIDDEN.filter((option) => options.includes(option)).map((option) => `with ${option}`),
  ];
  const value = `SQLite ${version}, ${options.length} compile options${wrong.map((one) => `, ${one}`).join('')}`;
  if (wrong.length === 0) return ok(value);
  return {
    status: 'fail',
    value,
    fix: 'install better-sqlite3 with its own SQLite: npm rebuild better-sqlite3',
  };
}

/** Why the library cannot be loaded. The numbers of the ABIs stand in the message only; everything else is told by the code. */
function unloadable(error: unknown): Found {
  if (isStorageError(error)) return failed(error);
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  const text = String(message ?? error);
  const built = /NODE_MODULE_VERSION (\d+)/u.exec(text)?.[1];
  const [why, fix] =
    code === 'ERR_MODULE_NOT_FOUND'
      ? ['better-sqlite3 is not installed', 'install deespec again']
      : built !== undefined
        ? [
            `better-sqlite3 was built for ABI ${built}; this Node has ABI ${process.versions.modules}`,
            REBUILD,
          ]
        : code === 'ERR_DLOPEN_FAILED'
          ? ['the compiled part of better-sqlite3 cannot be loaded', REBUILD]
          : ['the compiled part of better-sqlite3 is missing', REBUILD];
  return { status: 'fail', value: `${why} (${text.split('\n', 1)[0]})`, fix, code: 'FILE.READ_FAILED' };
}

const REBUILD = 'npm rebuild better-sqlite3, with the Node that runs deespec, or install deespec again';

/** What a program needs of the machine, whether there is a tree or not. */
export function checkProgram(): Promise<Made[]> {
  return Promise.all([check('machine node', nodeFound), check('machine sqlite', sqliteFound)]);
}

/** What a tree needs of the place where it lies. */
export function checkPlace(paths: HomePaths, now: Date): Promise<Made[]> {
  return Promise.all([
    check('machine file-system', () => fileSystemFound(paths)),
    check('machine permissions', () => permissionsFound(paths)),
    check('machine clock', () => clockFound(paths, now)),
  ]);
}

function fileSystemFound(paths: HomePaths): Found {
  const network = networkFileSystem(paths.home);
  const type = `0x${statfsSync(paths.home).type.toString(16)}`;
  if (network === undefined) return ok(`local (type ${type}): keeps the locks that SQLite needs`);
  return {
    status: stands(paths.database) ? 'fail' : 'warn',
    value: `${network} (type ${type}) does not keep the locks that SQLite needs`,
    fix: 'move the tree to a local disk; files alone can stay here in mode file',
    code: 'PREFLIGHT.FILE_SYSTEM',
  };
}

function stands(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function permissionsFound(paths: HomePaths): Found {
  requireOwner(paths);
  const denied = [paths.home, paths.own, paths.database].filter((path) => stands(path) && !isWritable(path));
  if (denied.length > 0) {
    return {
      status: 'fail',
      value: `this user cannot read and write ${denied.join(', ')}`,
      fix: 'run as the owner of the tree, or correct owner and mode',
      code: 'FILE.PERMISSION',
    };
  }
  const open = [
    ...unsafeDirectories(paths),
    ...[paths.own, paths.database].filter((path) => stands(path) && (lstatSync(path).mode & 0o022) !== 0),
  ];
  if (open.length === 0)
    return ok('this user can read and write; no stranger can put something else in its place');
  return {
    status: 'warn',
    value: `others may write to ${open.join(', ')}`,
    fix: 'take that from them, with "chmod go-w" on each',
  };
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch (error) {
    if (['EACCES', 'EPERM', 'EROFS'].includes(systemCode(error) ?? '')) return false;
    throw error;
  }
}

/** Clocks of two machines differ by no more, seconds. */
const SKEW_SECONDS = 120;

/** Times that are to come: the clock was set back, or was ahead when these were written. */
function clockFound(paths: HomePaths, now: Date): Found {
  const files = ['', 'setting.json', 'deespec.db', 'var/state.json', 'var/journal.ndjson', 'specs'];
  const own = ['epoch', 'last-scan', 'last-deep-check', 'audit.ndjson'];
  const all = [...files.map((name) => join(paths.home, name)), ...own.map((name) => join(paths.own, name))];
  const ahead = all
    .map((path) => ({
      path,
      seconds: ((lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) - now.getTime()) / 1_000,
    }))
    .filter(({ seconds }) => seconds > SKEW_SECONDS)
    .sort((a, b) => b.seconds - a.seconds);
  const threshold = `${SKEW_SECONDS} s`;
  const [first] = ahead;
  if (first === undefined) return ok(`${now.toISOString()}; no time in the tree is to come`, { threshold });
  return {
    status: 'warn',
    value: `${ahead.length} times are to come, that of ${first.path} in ${formatSpan(first.seconds)}`,
    threshold,
    fix: 'set the clock of this machine right (timedatectl), or "touch" the files if they came with wrong times',
  };
}
