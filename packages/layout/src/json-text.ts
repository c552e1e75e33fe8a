import { isUtf8 } from 'node:buffer';

import { parseTree, visit } from 'jsonc-parser';
import type { Node } from 'jsonc-parser';

import type { Json, JsonObject } from '@deespec/domain';

import { quote } from './rules.js';
import type { Problem } from './rules.js';

/** Deepest nesting that is interpreted. SQLite's own JSON functions stop at 1,000. */
export const MAX_DEPTH = 64;

/** A strictly parsed JSON text, or the first problem that keeps it from being interpreted. */
export type ParsedJson =
  | {
      readonly text: string;
      readonly value: Json;
      /** True when a number of the text is not the number of the value: beyond 2^53, or infinite. */
      readonly isInexact: boolean;
      readonly problem?: undefined;
    }
  | { readonly problem: Problem };

/** An object with strictly parsed JSON, or a problem. */
export type ParsedJsonObject =
  | {
      readonly text: string;
      readonly value: JsonObject;
      readonly isInexact: boolean;
      readonly problem?: undefined;
    }
  | { readonly problem: Problem };

/**
 * Parses JSON that every reader reads alike: RFC 8259 in UTF-8 without byte order mark, at most {@link MAX_DEPTH} levels,
 * no two keys of one object equal, nor equal but for case (the Go tool's reader takes the last of those).
 */
export function parseJson(bytes: Buffer): ParsedJson {
  if (!isUtf8(bytes)) return syntaxProblem('bytes that are no UTF-8');
  const text = bytes.toString('utf8');
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (error) {
    return { problem: describeSyntax(text, error as SyntaxError) };
  }
  const census: Census = { keys: 0, isTooDeep: false, isInexact: false, folded: undefined };
  takeCensus(value, 1, census);
  if (census.isTooDeep) {
    return {
      problem: { rule: 'json-depth', expected: `at most ${MAX_DEPTH} levels`, actual: 'deeper nesting' },
    };
  }
  if (countKeyTokens(text) !== census.keys) {
    const duplicate = findDuplicateKey(text);
    if (duplicate !== undefined) return { problem: duplicate };
  }
  if (census.folded !== undefined) {
    const actual = `${census.folded.map(quote).join(' and ')} in one object`;
    return { problem: { rule: 'case-fold-key', expected: 'keys that differ in more than case', actual } };
  }
  return { text, value, isInexact: census.isInexact };
}

/** {@link parseJson} for texts that must be an object. */
export function parseJsonObject(bytes: Buffer): ParsedJsonObject {
  const parsed = parseJson(bytes);
  if (parsed.problem !== undefined) return parsed;
  if (isJsonObject(parsed.value)) return { ...parsed, value: parsed.value };
  return syntaxProblem(Array.isArray(parsed.value) ? 'an array' : quote(parsed.text));
}

/** True for a JSON object: neither `null` nor an array. */
export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Number of places in a JSON text that may be the end of a key: a quote and a colon. At least the number of keys, more when
 * strings hold such places, so: equal to the number of keys of the parsed value means that no key was written twice.
 */
export function countKeyTokens(text: string): number {
  let count = 0;
  let quoteAt = text.indexOf('"');
  while (quoteAt >= 0) {
    let next = quoteAt + 1;
    let code = text.charCodeAt(next);
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) code = text.charCodeAt(++next);
    if (code === 0x3a) count += 1;
    quoteAt = text.indexOf('"', next);
  }
  return count;
}

/** The first key written twice in one object of a valid JSON text; exact, but slower than {@link countKeyTokens}. */
export function findDuplicateKey(text: string): Problem | undefined {
  const open: Set<string>[] = [];
  let found: Problem | undefined;
  visit(text, {
    onObjectBegin: () => void open.push(new Set()),
    onObjectEnd: () => void open.pop(),
    onObjectProperty: (...[key, , , line]) => {
      const keys = open.at(-1)!;
      if (keys.has(key)) {
        found ??= { rule: 'duplicate-key', line: line + 1, expected: 'every key once', actual: quote(key) };
      }
      keys.add(key);
    },
  });
  return found;
}

/**
 * The value of a valid JSON text with every number that a JavaScript number cannot hold as the text it was written in, so
 * that nothing false is shown.
 */
export function exactValue(text: string): Json {
  return exactNode(text, parseTree(text)!);
}

interface Census {
  keys: number;
  isTooDeep: boolean;
  isInexact: boolean;
  folded: readonly [string, string] | undefined;
}

function takeCensus(value: Json, depth: number, census: Census): void {
  if (typeof value === 'number') {
    if (!isExact(value)) census.isInexact = true;
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  if (depth > MAX_DEPTH) {
    census.isTooDeep = true;
    return;
  }
  if (Array.isArray(value)) {
    for (const item of value as readonly Json[]) takeCensus(item, depth + 1, census);
    return;
  }
  const keys = Object.keys(value);
  census.keys += keys.length;
  census.folded ??= findFolded(keys);
  for (const key of keys) takeCensus((value as JsonObject)[key]!, depth + 1, census);
}

function isExact(value: number): boolean {
  return Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value);
}

const mayFold = /[A-Z\u0080-\uffff]/u;

function findFolded(keys: readonly string[]): readonly [string, string] | undefined {
  if (keys.length < 2 || !keys.some((key) => mayFold.test(key))) return undefined;
  const seen = new Map<string, string>();
  for (const key of keys) {
    const folded = foldCase(key);
    const earlier = seen.get(folded);
    if (earlier !== undefined) return [earlier, key];
    seen.set(folded, key);
  }
  return undefined;
}

/** Simple case folding, character by character, as Go's `strings.EqualFold` compares. */
function foldCase(key: string): string {
  return Array.from(key, (character) => {
    const upper = character.toUpperCase();
    return Array.from(upper).length === 1 ? upper.toLowerCase() : character;
  }).join('');
}

function exactNode(text: string, node: Node): Json {
  switch (node.type) {
    case 'object':
      return Object.fromEntries(
        (node.children ?? []).map(({ children }) => [
          children![0]!.value as string,
          exactNode(text, children![1]!),
        ]),
      );
    case 'array':
      return (node.children ?? []).map((child) => exactNode(text, child));
    case 'number':
      return isExact(node.value as number)
        ? (node.value as number)
        : text.slice(node.offset, node.offset + node.length);
    default:
      return node.value as Json;
  }
}

function syntaxProblem(actual: string): { problem: Problem } {
  return { problem: { rule: 'json-syntax', expected: 'one JSON object', actual } };
}

function describeSyntax(text: string, error: SyntaxError): Problem {
  const expected = 'one JSON object';
  if (text.trim() === '') return { rule: 'json-syntax', expected, actual: 'nothing: the file is empty' };
  if (text.startsWith('\ufeff')) return { rule: 'json-syntax', expected, actual: 'a byte order mark' };
  const position = /position (\d+)/u.exec(error.message)?.[1];
  if (position === undefined) return { rule: 'json-syntax', expected, actual: quote(text) };
  const before = text.slice(0, Number(position));
  const line = before.split('\n').length;
  return { rule: 'json-syntax', line, expected, actual: `no JSON at ${quote(text.slice(before.length))}` };
}
