import {
  displayPath,
  timeFromNs,
  type Execution,
  type Json,
  type SnippetPart,
  type StoredSbi,
  type TreePath,
  type TreeStat,
} from '@deespec/domain';
import { createHash } from 'node:crypto';

import type { ExecutionDto, FileDto, SbiDetailDto, SbiDto, SnippetPartDto } from '../dto/sbi.js';

/** Longest title or label in an answer, UTF-16 units; the files have the whole of it. */
const MOST_TEXT = 1_000;

/** Largest metadata in an answer, UTF-16 units of JSON. */
const MOST_METADATA = 65_536;

/** A text as an answer has it: what is longer ends with an ellipsis. */
export function shorten(text: string, most = MOST_TEXT): string {
  return text.length <= most ? text : `${text.slice(0, most)}…`;
}

/** An SBI in a list. */
export function sbiView(sbi: StoredSbi, snippet?: readonly SnippetPart[]): SbiDto {
  const { id, taskId, priority, status, createdAt, updatedAt, completedAt, revision, metadata } = sbi;
  const { title } = metadata;
  return {
    id,
    taskId: shorten(taskId),
    title: typeof title === 'string' ? shorten(title) : '',
    labels: labelsOf(sbi),
    priority,
    status,
    createdAt,
    updatedAt,
    ...(completedAt === undefined ? {} : { completedAt }),
    revision,
    ...(snippet === undefined ? {} : { snippet: snippet.map(partView) }),
  };
}

/** An SBI by itself. */
export function sbiDetail(sbi: StoredSbi): SbiDetailDto {
  return { ...sbiView(sbi), metadata: bounded(sbi.metadata) };
}

/** @param files - those of the SBI, so that its text is named as they are */
export function executionView(execution: Execution): ExecutionDto {
  const { contentPath, metadata, decision, completedAt, leaseExpiresAt, ...rest } = execution;
  const { elapsedMs, error } = metadata;
  return {
    ...rest,
    step: shorten(rest.step),
    status: shorten(rest.status),
    decision,
    ...(completedAt === undefined ? {} : { completedAt }),
    ...(leaseExpiresAt === undefined ? {} : { leaseExpiresAt }),
    ...(typeof elapsedMs === 'number' && Number.isSafeInteger(elapsedMs) ? { elapsedMs } : {}),
    ...(typeof error === 'string' && error !== '' ? { error: shorten(error, 10_000) } : {}),
    ...(contentPath === undefined ? {} : { fileId: fileIdOf(contentPath) }),
    metadata: bounded(metadata),
  };
}

/** A file of an SBI. @param contents - paths of the texts of executions */
export function fileView(stat: TreeStat, contents: ReadonlySet<TreePath>): FileDto {
  const { path, kind, size, mtimeNs } = stat;
  // Below specs/sbi/<directory>/.
  const name = displayPath(path).split('/').slice(3).join('/');
  const isText = contents.has(path);
  return {
    id: fileIdOf(path),
    name: shorten(name),
    role: name === 'spec.md' ? 'spec' : isText ? 'execution' : 'attachment',
    kind,
    sizeBytes: size,
    modifiedAt: timeFromNs(mtimeNs),
  };
}

/** Names a file of an SBI without saying where it lies. */
export function fileIdOf(path: TreePath): string {
  return createHash('sha256').update(path, 'latin1').digest('hex').slice(0, 16);
}

function labelsOf({ label, metadata }: StoredSbi): string[] {
  const { labels } = metadata;
  const listed = Array.isArray(labels) ? labels.filter((one) => typeof one === 'string') : undefined;
  return (listed ?? (label === undefined || label === '' ? [] : label.split(',')))
    .slice(0, 50)
    .map((one) => shorten(one));
}

function bounded(metadata: Readonly<Record<string, Json>>): Record<string, unknown> {
  const length = JSON.stringify(metadata).length;
  return length <= MOST_METADATA
    ? metadata
    : { omitted: `${length} characters: "deespec sbi show" prints them` };
}

function partView({ text, isMatch }: SnippetPart): SnippetPartDto {
  return { text, match: isMatch };
}
