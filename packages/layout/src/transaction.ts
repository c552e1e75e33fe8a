import { baseName, displayPath } from '@deespec/domain';
import type { AuditEntry, Json, JsonObject, TreePath, TreeReader, TreeStat } from '@deespec/domain';

import type { TreeContext } from './context.js';
import { checkFile, fileTime, readSmall, STATE_BYTES } from './content.js';
import { Fields } from './fields.js';
import { isJsonObject, parseJsonObject } from './json-text.js';
import { classifyPath, sbiOfPath } from './paths.js';
import { quote } from './rules.js';
import type { UnitNotes } from './unit-notes.js';
import type { TreeUnit } from './units.js';

/** What reading a transaction's directory needs. */
export interface TransactionReading {
  readonly unit: TreeUnit;
  readonly context: TreeContext;
  readonly reader: TreeReader;
  readonly notes: UnitNotes;
}

/**
 * The audit row of a committed transaction of `journal/<date>/<txid>`; `undefined`, with findings, when it has no commit
 * marker or cannot be interpreted.
 *
 * Source: docs/formats.md, part A.
 */
export function deriveAudit(reading: TransactionReading): AuditEntry | undefined {
  const { unit, notes } = reading;
  const [manifestStat, commitStat, intentStat] = (['manifest', 'commit', 'intent'] as const).map((role) =>
    unit.entries.find(({ path }) => classifyPath(path).role === role),
  );
  const intentProblem = intentStat === undefined ? undefined : checkFile(intentStat);
  if (intentProblem !== undefined) notes.add(intentStat!.path, intentProblem);
  if (commitStat === undefined) noteUnfinished(unit.path, notes);
  if (manifestStat === undefined) {
    notes.add(unit.path, { rule: 'transaction-no-manifest', expected: 'manifest.json', actual: 'nothing' });
  }
  const manifest = manifestStat === undefined ? undefined : readManifest(reading, manifestStat);
  const commit = commitStat === undefined ? undefined : readCommit(reading, commitStat);
  return manifest === undefined || commit === undefined ? undefined : auditOf(unit.path, manifest, commit);
}

/** Warns that a transaction without commit marker may be half applied. */
export function noteUnfinished(path: TreePath, notes: UnitNotes): void {
  notes.add(path, { rule: 'unfinished-transaction', expected: 'status.commit', actual: 'no commit marker' });
}

interface Manifest {
  readonly id?: string | undefined;
  readonly description?: string | undefined;
  readonly createdAt?: string | undefined;
  readonly files: readonly Json[];
  readonly user?: string | undefined;
  readonly sessionId?: string | undefined;
}

interface Commit {
  readonly committedAt?: string | undefined;
  readonly fileTime: string;
  readonly success: Json;
  readonly committed: Json;
}

function readManifest(reading: TransactionReading, stat: TreeStat): Manifest | undefined {
  const { context, notes } = reading;
  const fields = readFields(reading, stat);
  if (fields === undefined) return undefined;
  const raw = fields.raw('files');
  const files = Array.isArray(raw) ? (raw as readonly Json[]) : [];
  const rawMeta = fields.raw('meta');
  const meta = new Fields(isJsonObject(rawMeta) ? rawMeta : {});
  const manifest = {
    id: fields.text('id'),
    description: fields.text('description'),
    createdAt: fields.time('created_at')?.utc,
    files,
    user: meta.text('user'),
    sessionId: meta.text('session_id'),
  };
  const problems = [
    ...fields.listProblems(context.checks, 'tx-manifest'),
    ...meta.listProblems({ ...context.checks, shape: () => [] }, 'tx-manifest'),
  ];
  notes.addAll(stat.path, problems);
  const unsafe = files.map(destinationOf).find((path) => path !== undefined && isUnsafe(path));
  if (unsafe !== undefined) {
    const expected = 'destinations inside the tree';
    notes.add(stat.path, { rule: 'path-unsafe', expected, actual: quote(unsafe) });
  }
  return notes.quarantined.has(stat.path) ? undefined : manifest;
}

function readCommit(reading: TransactionReading, stat: TreeStat): Commit | undefined {
  const fields = readFields(reading, stat);
  if (fields === undefined) return undefined;
  const commit = {
    committedAt: fields.time('committed_at')?.utc,
    fileTime: fileTime(stat.mtimeNs),
    success: fields.raw('success') ?? null,
    committed: fields.raw('committed_files') ?? null,
  };
  const problems = fields.listProblems(reading.context.checks, 'tx-commit');
  reading.notes.addAll(stat.path, problems);
  return problems.length === 0 ? commit : undefined;
}

function readFields({ reader, notes }: TransactionReading, stat: TreeStat): Fields | undefined {
  const content = readSmall(reader, stat, STATE_BYTES);
  const parsed = content.problem === undefined ? parseJsonObject(content.bytes) : content;
  if (parsed.problem === undefined) return new Fields(parsed.value);
  notes.add(stat.path, parsed.problem);
  return undefined;
}

function auditOf(path: TreePath, manifest: Manifest, commit: Commit): AuditEntry {
  const id = manifest.id ?? displayPath(baseName(path));
  const sbiId = manifest.files.map(sbiOfDestination).find((found) => found !== undefined);
  const value: JsonObject = {
    id,
    files: manifest.files,
    success: commit.success,
    committed: commit.committed,
  };
  return {
    timestamp: commit.committedAt ?? manifest.createdAt ?? commit.fileTime,
    entityType: sbiId === undefined ? 'tree' : 'sbi',
    entityId: sbiId ?? id,
    action: manifest.description ?? 'transaction',
    newValue: JSON.stringify(value),
    ...(manifest.user === undefined ? {} : { user: manifest.user }),
    ...(manifest.sessionId === undefined ? {} : { sessionId: manifest.sessionId }),
    source: path,
  };
}

function destinationOf(file: Json): string | undefined {
  return isJsonObject(file) ? new Fields(file).text('destination') : undefined;
}

function sbiOfDestination(file: Json): string | undefined {
  return sbiOfPath((destinationOf(file) ?? '').replace(/^\.deespec\//u, ''))?.sbiId;
}

/** True for a path that is absolute, climbs, or means something else elsewhere. */
function isUnsafe(path: string): boolean {
  return (
    path.startsWith('/') || /^[A-Za-z]:/u.test(path) || /[\\\0]/u.test(path) || path.split('/').includes('..')
  );
}
