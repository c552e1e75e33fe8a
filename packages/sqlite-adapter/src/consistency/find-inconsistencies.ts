import { displayPath, isStorageError } from '@deespec/domain';
import type { Database } from 'better-sqlite3';
import { createHash } from 'node:crypto';

import { checkIndex } from '../check-index.js';
import { ContentRows, readEntry } from '../content-rows.js';
import { EntryRows, type EntryRow } from '../entry-rows.js';
import { changedEvidence, latestEvidence } from '../evidence.js';
import type { IndexDifference } from '../index-difference.js';
import { recordDigest } from '../record-digest.js';
import { toStorageError } from '../sqlite-error.js';
import { readState } from '../storage-state.js';
import { LONGEST, type ConsistencyRule, type Inconsistency, type Unchecked } from './rule.js';

/** `undefined` says that it is still at work. */
export type Look = Inconsistency | Unchecked | undefined;

/**
 * Looks for whatever breaks the rules: each query for itself, one reading of the record, one derivation of the index. Streams,
 * so memory stays flat, and reads only. To be asked after `requireSchema` and `requireSound`.
 *
 * What cannot be looked at because of something else that is wrong is told as unchecked.
 *
 * @throws StorageError `SQLITE.*`
 */
export function* findInconsistencies(handle: Database, rules: readonly ConsistencyRule[]): Generator<Look> {
  let errors = 0;
  for (const look of everything(handle, rules)) {
    if (look !== undefined && 'found' in look && isError(rules, look.rule)) errors += 1;
    yield look;
  }
  // Every row is in that hash: it tells only where nothing else does.
  if (errors === 0 && rules.some(({ rule }) => rule === 'evidence-rows')) yield* changedRows(handle);
}

function isError(rules: readonly ConsistencyRule[], name: string): boolean {
  return rules.find(({ rule }) => rule === name)?.severity === 'error';
}

function* everything(handle: Database, rules: readonly ConsistencyRule[]): Generator<Look> {
  const asked = new Set(rules.map(({ rule }) => rule));
  for (const rule of rules) {
    if (rule.sql !== undefined) yield* byQuery(handle, rule.rule, rule.sql);
  }
  if (asked.has('evidence-changed')) {
    for (const run of changedEvidence(handle)) yield at('evidence-changed', `evidence ${run}`, 'another row');
  }
  if (asked.has('entry-order') || asked.has('content-hash')) yield* readRecord(handle, asked);
  const index = rules.filter(({ rule }) => rule === 'entry-state' || rule.startsWith('index-'));
  if (index.length > 0) yield* deriveAgain(handle, new Set(index.map(({ rule }) => rule)));
}

function* byQuery(handle: Database, rule: string, sql: string): Generator<Look> {
  try {
    const rows = handle.prepare(sql).iterate() as IterableIterator<{ entity: unknown; found: unknown }>;
    for (const { entity, found } of rows) yield at(rule, entity, found);
  } catch (error) {
    throw toStorageError(error, handle.name);
  }
}

/** Reads every entry with its bytes. */
function* readRecord(handle: Database, asked: ReadonlySet<string>): Generator<Look> {
  const contents = new ContentRows(handle);
  try {
    for (const row of new EntryRows(handle).scan()) {
      yield asked.has('content-hash') ? wrongBytes(contents, row) : undefined;
    }
  } catch (error) {
    if (!isStorageError(error, 'DATABASE.CORRUPT')) throw toStorageError(error, handle.name);
    if (asked.has('entry-order')) yield at('entry-order', error.details['where'], error.message);
    if (asked.has('content-hash')) yield { rule: 'content-hash', unchecked: shortened(error.message) };
  }
}

function wrongBytes(contents: ContentRows, row: EntryRow): Look {
  if (row.kind === 'directory') return undefined;
  const hash = createHash('sha256');
  let size = 0;
  try {
    for (const chunk of readEntry(contents, row)) {
      hash.update(chunk);
      size += chunk.length;
    }
  } catch (error) {
    if (!isStorageError(error, 'DATABASE.CORRUPT')) throw error;
    return at('content-hash', displayPath(row.path), error.message);
  }
  const sha256 = hash.digest('hex');
  if (sha256 === row.sha256 && size === row.size) return undefined;
  const [is, wanted] = [`sha256 ${sha256}, ${size} bytes`, `${row.sha256}, ${row.size}`];
  return at('content-hash', displayPath(row.path), `${is} instead of ${wanted}`);
}

function* deriveAgain(handle: Database, asked: ReadonlySet<string>): Generator<Look> {
  try {
    for (const difference of checkIndex(handle)) yield asDifference(difference, asked);
  } catch (error) {
    if (!isStorageError(error, 'DATABASE.CORRUPT')) throw toStorageError(error, handle.name);
    for (const rule of asked) yield { rule, unchecked: shortened(error.message) };
  }
}

function asDifference({ row, expected, actual }: IndexDifference, asked: ReadonlySet<string>): Look {
  if (row === undefined || !asked.has(row.rule)) return undefined;
  if (row.is !== 'different') return at(row.rule, row.key, row.is);
  return at(row.rule, row.key, differing(expected, actual));
}

/** What of two texts is not the same, with a little before it: rows are long. */
function differing(expected: string, actual: string): string {
  let start = 0;
  while (start < expected.length && expected[start] === actual[start]) start += 1;
  const from = Math.max(0, start - 10);
  const part = (text: string): string => `${from > 0 ? '...' : ''}${text.slice(from, from + 70)}`;
  return `${part(actual)} instead of ${part(expected)}`;
}

function* changedRows(handle: Database): Generator<Look> {
  const [migrated, state] = [newestMigration(handle), readState(handle)];
  if (migrated?.record === undefined || state?.mode !== 'file' || state.epoch !== migrated.epoch) return;
  const record = recordDigest(handle);
  if (record !== migrated.record) yield at('evidence-rows', `evidence ${migrated.runId}`, `rows ${record}`);
}

function newestMigration(handle: Database): ReturnType<typeof latestEvidence> {
  try {
    return latestEvidence(handle, 'migrate');
  } catch (error) {
    if (!isStorageError(error, 'DATABASE.CORRUPT')) throw error;
    return undefined; // named by evidence-changed
  }
}

function at(rule: string, entity: unknown, found: unknown): Inconsistency {
  return { rule, entity: shortened(entity), found: shortened(found) };
}

/** A value of a row for people: bytes are a path, or text that may be none. */
function shortened(value: unknown): string {
  const text = Buffer.isBuffer(value) ? displayPath(value.toString('latin1')) : String(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 3)}...` : text;
}
