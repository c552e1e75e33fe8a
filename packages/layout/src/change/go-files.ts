import type { Json, JsonObject, SbiId, TreePath } from '@deespec/domain';

import { setJsonKey } from '../json-edit.js';
import { parseJsonObject } from '../json-text.js';
import { cannotExpress, malformed } from '../edit.js';
import { MAX_LINE_BYTES } from '../journal-lines.js';
import { GO_STATE, JOURNAL } from '../paths.js';
import type { Draft } from './draft.js';
import type { EditedTree } from './edited-tree.js';

/** What a journal line of ours says beside its time and id. */
export interface LineFields {
  readonly turn: number;
  readonly step: string;
  readonly decision: string;
  readonly status: string;
  readonly attempt?: number;
  readonly elapsedMs?: number;
  readonly error?: string;
  readonly artifacts: readonly Json[];
}

/** When a change is made, and the id that tells its journal line from every other. */
export interface LineStamp {
  /** UTC, RFC 3339. */
  readonly now: string;
  readonly lineId: string;
}

/** Appends a journal line with the keys of the Go tool, in its order, and `id`, by which a line is known when journals are merged. */
export function appendLine(draft: Draft, fields: LineFields, { now, lineId }: LineStamp): void {
  const { artifacts, attempt = 1, decision, elapsedMs = 0, error = '', status, step, turn } = fields;
  const line = {
    artifacts,
    attempt,
    decision,
    elapsed_ms: elapsedMs,
    error,
    id: lineId,
    status,
    step,
    ts: now,
    turn,
  };
  const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
  if (bytes.length > MAX_LINE_BYTES)
    throw cannotExpress(['error'], 'the journal line would be too long to be read');
  draft.append(JOURNAL, bytes);
}

/** A time of fixed width without the zeros that the width adds: as programs write it. */
export function shortTime(time: string): string {
  return time.replace(/\.?0*Z$/u, 'Z');
}

/** The path of an entry as journal lines have it: from the project's root. */
export function projectPath(path: TreePath): string {
  return `.deespec/${path}`;
}

/**
 * Sets keys of `var/state.json` and counts its version up, as each write of the Go tool does.
 *
 * @throws StorageError `LAYOUT.MALFORMED`, `LAYOUT.CANNOT_EXPRESS`
 */
export function setGoState(draft: Draft, keys: Readonly<Record<string, Json>>, now: string): void {
  const before = draft.file(GO_STATE) ?? Buffer.from('{\n  "version": 0\n}\n');
  const version = versionOf(before);
  let bytes = before;
  const all = { ...keys, version: version + 1 };
  for (const [key, value] of Object.entries(all)) bytes = setJsonKey(bytes, [key], JSON.stringify(value));
  bytes = setJsonKey(bytes, ['meta', 'updated_at'], JSON.stringify(now));
  draft.put(GO_STATE, bytes);
}

/** The SBI that `var/state.json` names as in work; `undefined` when it names none. */
export function wipOf(tree: EditedTree): string | undefined {
  const bytes = tree.file(GO_STATE);
  const wip = bytes === undefined ? undefined : parsed(bytes)['wip'];
  return typeof wip === 'string' && wip !== '' ? wip : undefined;
}

/** True when `wip`, an id or the name of a directory, is this SBI. */
export function isWip(wip: string | undefined, id: SbiId): boolean {
  return wip === id || wip?.startsWith(`${id}_`) === true;
}

function versionOf(bytes: Buffer): number {
  const { version } = parsed(bytes);
  return typeof version === 'number' && Number.isSafeInteger(version) ? version : 0;
}

function parsed(bytes: Buffer): JsonObject {
  const result = parseJsonObject(bytes);
  if (result.problem !== undefined) throw malformed(result.problem);
  return result.value;
}
