import { StorageError } from '@deespec/domain';
import type { Json, JsonObject } from '@deespec/domain';

import type { Problem } from './rules.js';

/** `value` with the value at `key` set; a new key comes last, missing objects are made. */
export function withKey(value: JsonObject, [name, ...rest]: readonly string[], added: Json): JsonObject {
  const below = (Object.hasOwn(value, name!) ? value[name!] : {}) as JsonObject;
  const entries = new Map(Object.entries(value));
  entries.set(name!, rest.length === 0 ? added : withKey(below, rest, added));
  return Object.fromEntries(entries);
}

/** `value` without the key at `key`. */
export function withoutKey(value: JsonObject, [name, ...rest]: readonly string[]): JsonObject {
  const entries = new Map(Object.entries(value));
  if (rest.length === 0) entries.delete(name!);
  else entries.set(name!, withoutKey(value[name!] as JsonObject, rest));
  return Object.fromEntries(entries);
}

/** The error for bytes that are not edited because readers would disagree on them. */
export function malformed(problem: Problem): StorageError {
  const line = problem.line === undefined ? '' : ` in line ${problem.line}`;
  return new StorageError(
    'LAYOUT.MALFORMED',
    `cannot be interpreted (${problem.rule})${line}: expected ${problem.expected}, found ${problem.actual}`,
    { hint: 'correct the file by hand, then repeat', details: { rule: problem.rule, line: problem.line } },
  );
}

/** The error for a change that one edit of the file's text cannot make. */
export function cannotExpress(key: readonly string[], why: string): StorageError {
  return new StorageError('LAYOUT.CANNOT_EXPRESS', `cannot set ${JSON.stringify(key.join('.'))}: ${why}`, {
    hint: 'edit the file by hand',
    details: { key: [...key] },
  });
}
