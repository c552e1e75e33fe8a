import { displayPath, StorageError, type TreePath } from '@deespec/domain';
import { ignoredOwner, writeFileDurably } from '@deespec/file-adapter';
import { accessSync, constants, lstatSync, unlinkSync } from 'node:fs';

import type { HomePaths } from '../home.js';
import { readRegular } from '../read-regular.js';
import { syncPath } from '../sync-path.js';
import { kindsIn } from './carry-over.js';
import { isRunId } from './journal.js';
import { rebuiltAt } from './rebuild.js';
import { namesAt, placeAt, standing } from './walk.js';

/** One entry that is exchanged: of the root, or of `backups`, where our own backups stay. */
export interface ExchangeEntry {
  /** A byte string. */
  readonly name: string;
  /** Whether the new tree has it; the old one's goes to the trash either way. */
  readonly isNew: boolean;
  /** Permission bits of a new directory: it is made writable to be moved. */
  readonly mode?: number;
}

/** `.storage/exchange`: an exchange of the files that has begun. It is only carried forward. */
export interface Exchange {
  /** Of the run that built the new tree: a ULID. */
  readonly id: string;
  readonly entries: readonly ExchangeEntry[];
}

const BACKUPS = 'backups';

/**
 * What is to be exchanged for a tree that was built. Nothing is changed: what would fail half way is refused here.
 *
 * @throws StorageError `FILE.PERMISSION`, `PREFLIGHT.OTHER_DEVICE`, `MODE.REFUSED`
 */
export function planExchange(paths: HomePaths, id: string): Exchange {
  const built = rebuiltAt(paths, id);
  const hasBackups = namesAt(paths.home, BACKUPS).some((name) => isOurs(paths.home, `${BACKUPS}/${name}`));
  const [old, fresh] = [entriesOf(paths.home, hasBackups), entriesOf(built, hasBackups)];
  requireMovable(paths, old);
  if (hasBackups && standing(placeAt(built, BACKUPS))?.isDirectory() === false) throw blockedBackups(paths);
  const names = [...new Set([...old, ...fresh])].sort();
  return { id, entries: names.map((name) => entryOf(built, name)) };
}

function entryOf(built: string, name: string): ExchangeEntry {
  const stat = standing(placeAt(built, name));
  if (stat === undefined) return { name, isNew: false };
  return { name, isNew: true, ...(stat.isDirectory() ? { mode: Number(stat.mode) & 0o7777 } : {}) };
}

/** Names of the root, but for what is ignored. With backups of ours those in `backups` instead of the directory. */
function entriesOf(directory: string, hasBackups: boolean): string[] {
  const names = namesAt(directory).filter((name) => !(hasBackups && name === BACKUPS));
  const isDirectory = standing(placeAt(directory, BACKUPS))?.isDirectory() === true;
  const inside = hasBackups && isDirectory ? namesAt(directory, BACKUPS) : [];
  return [...names, ...inside.map((name) => `${BACKUPS}/${name}`)].filter(
    (name) => !isIgnored(directory, name),
  );
}

function isIgnored(directory: string, name: string): boolean {
  const kindAt = kindsIn(directory);
  const kind = kindAt(name as TreePath);
  return kind !== undefined && ignoredOwner(name as TreePath, kind, kindAt) !== undefined;
}

function isOurs(directory: string, name: string): boolean {
  const kindAt = kindsIn(directory);
  const kind = kindAt(name as TreePath);
  return kind !== undefined && ignoredOwner(name as TreePath, kind, kindAt) === 'ours';
}

/** A directory can be moved by who can write into it, or can give himself the right to. Source: rename(2), "EACCES". */
function requireMovable({ home, own }: HomePaths, names: readonly string[]): void {
  requireWritable(home, home);
  const { dev } = lstatSync(home, { bigint: true });
  const isOwner = (uid: bigint): boolean =>
    process.getuid?.() === 0 || uid === BigInt(process.getuid?.() ?? -1);
  for (const place of [Buffer.from(own), ...names.map((name) => placeAt(home, name))]) {
    const stat = standing(place);
    if (stat?.isDirectory() !== true) continue;
    const shown = displayPath(place.toString('latin1'));
    if (stat.dev !== dev) {
      throw new StorageError('PREFLIGHT.OTHER_DEVICE', `${shown} is on another file system than ${home}`, {
        hint: 'nothing was changed: take the mount away, then run the command again',
        details: { path: shown },
      });
    }
    if (!isOwner(stat.uid)) requireWritable(place, shown);
  }
}

function requireWritable(place: string | Buffer, shown: string): void {
  try {
    accessSync(place, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new StorageError('FILE.PERMISSION', `no permission to move what is in ${shown}`, {
      hint: 'nothing was changed: run the command as the owner of the tree',
      details: { path: shown },
      cause: error,
    });
  }
}

function blockedBackups({ home }: HomePaths): StorageError {
  return new StorageError(
    'MODE.REFUSED',
    `${home}/backups holds backups of this program, and the tree has a file of that name`,
    { hint: 'nothing was changed: move the backups out of the tree first', details: { path: BACKUPS } },
  );
}

/** The exchange that has begun, or `undefined`. @throws StorageError `FILE.READ_FAILED` when its record is damaged */
export function readExchange(paths: HomePaths): Exchange | undefined {
  const text = readRegular(paths.exchange)?.toString('utf8');
  if (text === undefined) return undefined;
  const exchange = parsed(text);
  if (exchange !== undefined) return exchange;
  throw new StorageError('FILE.READ_FAILED', `${paths.exchange} is damaged`, {
    hint: 'the files are in .storage/trash and .storage/rebuild: put them together by hand, or restore a backup with its tree; then move the file away',
    details: { path: paths.exchange },
  });
}

/** A tree is untrusted, and so is a record that it brought along: it can name nothing but entries of the tree. */
function parsed(text: string): Exchange | undefined {
  try {
    const { id, entries } = JSON.parse(text) as Record<string, unknown>;
    if (typeof id !== 'string' || !isRunId(id) || !Array.isArray(entries)) return undefined;
    const read = entries.map((entry) => parsedEntry(entry as Record<string, unknown>));
    return read.includes(undefined) ? undefined : { id, entries: read as ExchangeEntry[] };
  } catch {
    return undefined; // named as damaged by the caller
  }
}

function parsedEntry({ name, isNew, mode }: Record<string, unknown>): ExchangeEntry | undefined {
  if (typeof name !== 'string' || typeof isNew !== 'boolean' || !isMovable(name)) return undefined;
  if (mode === undefined) return { name, isNew };
  return Number.isInteger(mode) && (mode as number) >= 0 && (mode as number) <= 0o7777
    ? { name, isNew, mode: mode as number }
    : undefined;
}

// eslint-disable-next-line no-control-regex
const NAME = /^(?:backups\/)?[\u0001-\u002e\u0030-\u00ff]+$/u;

function isMovable(name: string): boolean {
  const last = name.slice(name.lastIndexOf('/') + 1);
  const isOwn = ignoredOwner(name as TreePath, 'file', () => undefined) === 'ours';
  return NAME.test(name) && last !== '.' && last !== '..' && !isOwn;
}

/** Begins an exchange durably. */
export function beginExchange(paths: HomePaths, exchange: Exchange): void {
  writeFileDurably({
    kind: 'file',
    target: paths.exchange,
    bytes: Buffer.from(`${JSON.stringify(exchange)}\n`),
    mode: 0o600,
  });
}

/** Ends an exchange durably. */
export function endExchange(paths: HomePaths): void {
  unlinkSync(paths.exchange);
  syncPath(paths.own);
}
