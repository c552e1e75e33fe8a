import type { AuditRecord, EntryKind, TreePath } from '@deespec/domain';
import { createHash } from 'node:crypto';

import {
  parseRecord,
  pathOf,
  readAuditRecord,
  RecordFields,
  SHA256,
  textOfPath,
  UTC_TIME,
} from './record-json.js';

/** What stood at a path before an edit. */
export interface Before {
  readonly kind: EntryKind;
  readonly mode: number;
  readonly mtimeNs: bigint;
  readonly sha256: string;
}

/** One edit of a path, checked: with what it expects, and what an undo and a repetition need. */
export type Step =
  | {
      readonly op: 'put';
      readonly path: TreePath;
      readonly before: Before | undefined;
      readonly kind: EntryKind;
      readonly mode: number;
      readonly mtimeNs: bigint | undefined;
      readonly sha256: string;
      /** Absent where the content came in chunks: it cannot be put again. */
      readonly bytes?: Buffer;
      readonly isProjection?: true;
    }
  /** `size` is the length of the journal before. */
  | { readonly op: 'append'; readonly path: TreePath; readonly size: number; readonly bytes: Buffer }
  | { readonly op: 'remove'; readonly path: TreePath; readonly before: Before }
  /** `paths` are the directory and everything below it. */
  | { readonly op: 'discard'; readonly path: TreePath; readonly paths: readonly TreePath[] };

/** An edit that is on its way into the tree. Durable before the tree changes, so that a crash leaves all of it or none. */
export interface Intent {
  readonly id: string;
  /** UTC, fixed width. */
  readonly since: string;
  readonly steps: readonly Step[];
  readonly audit: readonly AuditRecord[];
}

/** Every path that an edit may change, each once, in the order of the edits. */
export function pathsOf({ steps }: Pick<Intent, 'steps'>): readonly TreePath[] {
  return [...new Set(steps.flatMap((step) => (step.op === 'discard' ? step.paths : [step.path])))];
}

/**
 * An intent as a file: a line of JSON, the new bytes of each step in order, and a line with the SHA-256 of all that, which a
 * torn file does not have.
 */
export function encodeIntent(intent: Intent): readonly Buffer[] {
  const { id, since, steps, audit } = intent;
  const header = { format: FORMAT, id, since, steps: steps.map(stepRecord), audit };
  const parts = [Buffer.from(`${JSON.stringify(header)}\n`), ...steps.flatMap((step) => bytesOf(step) ?? [])];
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return [...parts, Buffer.from(`${hash.digest('hex')}\n`)];
}

/** The intent in a file, or `undefined` when the file is torn or is none. */
export function decodeIntent(file: Buffer): Intent | undefined {
  const end = file.length - CLOSING_BYTES;
  if (end <= 0) return undefined;
  const closing = createHash('sha256').update(file.subarray(0, end)).digest('hex');
  if (file.toString('latin1', end) !== `${closing}\n`) return undefined;
  const start = file.indexOf(0x0a) + 1;
  if (start === 0 || start > end) return undefined;
  const contents = file.subarray(start, end);
  return parseRecord(file.toString('utf8', 0, start), (fields) => readIntent(fields, contents));
}

const FORMAT = 1;
const CLOSING_BYTES = 65;

function bytesOf(step: Step): Buffer | undefined {
  return step.op === 'put' || step.op === 'append' ? step.bytes : undefined;
}

function stepRecord(step: Step): object {
  const path = textOfPath(step.path);
  const bytes = bytesOf(step)?.length;
  switch (step.op) {
    case 'put': {
      const { op, kind, mode, mtimeNs, sha256, before, isProjection } = step;
      return {
        op,
        path,
        kind,
        mode,
        mtimeNs: mtimeNs?.toString(),
        sha256,
        bytes,
        before: beforeRecord(before),
        isProjection,
      };
    }
    case 'append':
      return { op: step.op, path, size: step.size, bytes };
    case 'remove':
      return { op: step.op, path, before: beforeRecord(step.before) };
    case 'discard':
      return { op: step.op, path, paths: step.paths.map(textOfPath) };
  }
}

function beforeRecord(before: Before | undefined): object | undefined {
  return before === undefined ? undefined : { ...before, mtimeNs: before.mtimeNs.toString() };
}

function readIntent(fields: RecordFields, contents: Buffer): Intent | undefined {
  if (fields.whole('format') !== FORMAT) return undefined;
  let used = 0;
  const take = (length: number): Buffer => contents.subarray(used, (used += length));
  const steps = fields.list('steps', (item) => readStep(new RecordFields(item), take));
  if (used !== contents.length) return undefined;
  const audit = fields.list('audit', (item) => readAuditRecord(new RecordFields(item)));
  return { id: fields.text('id'), since: fields.matching('since', UTC_TIME), steps, audit };
}

function readStep(fields: RecordFields, take: (length: number) => Buffer): Step {
  const path = fields.path('path');
  const op = fields.matching('op', /^(?:put|append|remove|discard)$/u) as Step['op'];
  switch (op) {
    case 'put':
      return {
        op,
        path,
        before: readBefore(fields),
        kind: fields.kind('kind'),
        mode: fields.mode('mode'),
        mtimeNs: fields.has('mtimeNs') ? fields.nanoseconds('mtimeNs') : undefined,
        sha256: fields.matching('sha256', HASH),
        ...(fields.has('bytes') ? { bytes: take(fields.whole('bytes')) } : {}),
        ...(fields.has('isProjection') ? { isProjection: true } : {}),
      };
    case 'append':
      return { op, path, size: fields.whole('size'), bytes: take(fields.whole('bytes')) };
    case 'remove':
      return { op, path, before: readBefore(fields) ?? NOTHING };
    case 'discard':
      return { op, path, paths: fields.list('paths', pathOf) };
  }
}

/** The content of a file or symlink, or of a directory, which has none. */
const HASH = new RegExp(`${SHA256.source}|^$`, 'u');
/** Matches nothing that stands anywhere: a removal that does not say of what removes nothing. */
const NOTHING: Before = { kind: 'file', mode: 0, mtimeNs: 0n, sha256: 'nothing' };

function readBefore(fields: RecordFields): Before | undefined {
  if (!fields.has('before')) return undefined;
  const before = new RecordFields(fields.raw('before'));
  return {
    kind: before.kind('kind'),
    mode: before.mode('mode'),
    mtimeNs: before.nanoseconds('mtimeNs'),
    sha256: before.matching('sha256', HASH),
  };
}
