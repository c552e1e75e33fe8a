import { parseTime, storageModes, type StorageMode } from '@deespec/domain';

import { originalFrom, type OriginalSetting } from '../original-setting.js';
import type { RowCounts, Tally } from '../reports.js';

/** Format of a manifest. */
const SCHEMA = 'deespec.backup/1';

/** What follows the name of a backup in that of its manifest. Source: docs/digest.md, "What is left out". */
export const MANIFEST_END = '.manifest.json';

/** Longest note, characters. */
export const NOTE_LENGTH = 1_000;

/** What a look into the copy itself found, by the process that checked it: nothing is taken from the live database. */
export interface BackupFacts {
  /** Of the database file (hex). */
  readonly sha256: string;
  /** Of the database file, bytes. */
  readonly size: number;
  readonly schemaVersion: number;
  readonly mode: StorageMode;
  readonly epoch: number;
  readonly storeId: string;
  /** Digest of the tree in it, from the stored bytes. Source: docs/digest.md. */
  readonly treeDigest: string;
  /** Digest of its rows. Source: docs/database.md, "Evidence". */
  readonly record: string;
  /** Entries of the tree and their bytes. */
  readonly stored: Tally;
  readonly counts: RowCounts;
  /** The last record of the chain of changes; absent when there is none. */
  readonly lastAudit?: { readonly seq: number; readonly hash: string };
}

/** What stands beside a backup. */
export interface BackupManifest extends BackupFacts {
  /** Name of the backup without its ending. */
  readonly id: string;
  /** Counted from 1: the order of backups, whatever the clock says. */
  readonly seq: number;
  /** UTC, fixed width. */
  readonly createdAt: string;
  readonly note?: string;
  /** Of the file as it lies there, when it is compressed. */
  readonly compressed?: { readonly sha256: string; readonly size: number };
  /** What `setting.json` says in mode `file`; absent when that was the mode. */
  readonly original?: OriginalSetting;
  /** Version of the program that made it. */
  readonly version: string;
  /** When all of it was last read and was as it should be; absent: not so. UTC, fixed width. */
  readonly verifiedAt?: string;
  /** What was wrong when it was last read; absent: nothing. */
  readonly problem?: string;
}

/** A name of a backup, taken apart. */
export interface BackupName {
  readonly id: string;
  readonly seq: number;
  readonly isCompressed: boolean;
}

/** Takes a file name apart; `undefined` when no backup is called so. */
export function parseName(name: string): BackupName | undefined {
  const parts = /^(backup_\d{8}_\d{6}_(\d{6,9}))\.db(\.gz)?$/u.exec(name);
  return parts === null
    ? undefined
    : { id: parts[1]!, seq: Number(parts[2]), isCompressed: parts[3] !== undefined };
}

/** The name of a backup that is made now. */
export function idOf(seq: number, now: Date): string {
  const [day, time] = now.toISOString().slice(0, 19).replaceAll(/[-:]/gu, '').split('T');
  return `backup_${day}_${time}_${String(seq).padStart(6, '0')}`;
}

/** The file name of a backup with this manifest. */
export function fileNameOf({ id, compressed }: Pick<BackupManifest, 'id' | 'compressed'>): string {
  return compressed === undefined ? `${id}.db` : `${id}.db.gz`;
}

/** The bytes of a manifest. */
export function formatManifest(manifest: BackupManifest): Buffer {
  return Buffer.from(`${JSON.stringify({ schema: SCHEMA, ...manifest }, undefined, 2)}\n`);
}

/** The manifest in `text`, or what is wrong with it. It can come from anywhere: every value is looked at. */
export function parseManifest(text: string): BackupManifest | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'its manifest is no JSON';
  }
  if (!isObject(value) || value['schema'] !== SCHEMA) return 'its manifest is not one of DeeSpec Storage';
  const wrong = fields.find(([name, isRight]) => !isRight(value[name]))?.[0];
  if (wrong !== undefined) return `"${wrong}" in its manifest is not what it should be`;
  return Object.fromEntries(
    fields.flatMap(([name]) => present(name, value[name])),
  ) as unknown as BackupManifest;
}

function present(name: string, value: unknown): [string, unknown][] {
  return value === undefined ? [] : [[name, value]];
}

type Check = (value: unknown) => boolean;
type Values = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isHash: Check = (value) => typeof value === 'string' && /^[0-9a-f]{64}$/u.test(value);
const isTime: Check = (value) => typeof value === 'string' && parseTime(value) === value;
const isShort: Check = (value) => typeof value === 'string' && value.length <= NOTE_LENGTH;
const isOriginal: Check = (value) => originalFrom(JSON.stringify(value) ?? '') !== undefined;

function optional(check: Check): Check {
  return (value) => value === undefined || check(value);
}

function shape(parts: Readonly<Record<string, Check>>): Check {
  return (value) => isObject(value) && Object.entries(parts).every(([name, check]) => check(value[name]));
}

const isCounts = shape({
  ...Object.fromEntries(
    ['sbi', 'execution', 'config', 'auditLog', 'treeEntry', 'quarantined'].map((name) => [name, isCount]),
  ),
  byStatus: (value) => isObject(value) && Object.values(value).every(isCount),
});

/** Every key of a manifest with what its value must be. */
const fields: readonly (readonly [name: keyof BackupManifest, check: Check])[] = [
  ['id', (value) => typeof value === 'string' && parseName(`${value}.db`)?.id === value],
  ['seq', isCount],
  ['createdAt', isTime],
  ['note', optional(isShort)],
  ['size', isCount],
  ['sha256', isHash],
  ['compressed', optional(shape({ sha256: isHash, size: isCount }))],
  ['schemaVersion', isCount],
  ['mode', (value) => storageModes.some((mode) => mode === value)],
  ['epoch', isCount],
  ['storeId', (value) => typeof value === 'string' && /^[0-9A-Z]{26}$/u.test(value)],
  ['original', optional(isOriginal)],
  ['treeDigest', isHash],
  ['record', isHash],
  ['stored', shape({ entries: isCount, bytes: isCount })],
  ['counts', isCounts],
  ['lastAudit', optional(shape({ seq: isCount, hash: isHash }))],
  ['version', isShort],
  ['verifiedAt', optional(isTime)],
  ['problem', optional(isShort)],
];
