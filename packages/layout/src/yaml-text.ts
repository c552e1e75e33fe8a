import { isUtf8 } from 'node:buffer';

import { isAlias, isMap, isScalar, isSeq, Lexer, parseDocument } from 'yaml';
import type { Document, ParsedNode, Scalar, YAMLMap } from 'yaml';

import type { Json, JsonObject } from '@deespec/domain';

import { MAX_DEPTH } from './json-text.js';
import { quote } from './rules.js';
import type { Problem, RuleName } from './rules.js';

/** A strictly parsed YAML mapping, or the first problem that keeps it from being interpreted. */
export type ParsedYaml =
  | {
      readonly text: string;
      readonly value: JsonObject;
      readonly document: Document.Parsed;
      readonly problem?: undefined;
    }
  | { readonly problem: Problem };

/** Top-level keys whose values are text however they are spelled: `title: 012` is the text `012`. */
export type TextKeys = ReadonlySet<string>;

/**
 * Parses YAML that every reader reads alike: one mapping in UTF-8, plain scalars and collections, every key once. The value
 * holds a number that JavaScript cannot hold, or that YAML 1.1 reads differently, as the text it was written in.
 */
export function parseYaml(bytes: Buffer, textKeys: TextKeys = new Set()): ParsedYaml {
  if (!isUtf8(bytes)) return failure('yaml-syntax', 'bytes that are no UTF-8');
  const text = bytes.toString('utf8');
  const unsafe = checkTokens(text);
  if (unsafe !== undefined) return { problem: unsafe };
  const document = parseDocument(text, {
    uniqueKeys: false, // compares all pairs of keys; `Conversion` does it with a set
    schema: 'core',
    prettyErrors: false,
    logLevel: 'error', // `silent` hides that there are several documents
  });
  const error = document.errors[0] ?? document.warnings[0];
  if (error !== undefined) return { problem: describeError(text, error) };
  const conversion = new Conversion(text, textKeys);
  const value = isMap(document.contents) ? conversion.convertMap(document.contents, 1) : undefined;
  if (conversion.problem !== undefined) return { problem: conversion.problem };
  if (value !== undefined) return { text, value, document };
  return failure('yaml-syntax', text.trim() === '' ? 'nothing: the file is empty' : quote(text));
}

/** Largest number of tokens that are parsed: bounds time and memory of hostile files. */
const MAX_TOKENS = 100_000;
const tabIndent = /^ *\t/mu;

/**
 * Looks for what must not reach the parser: it recurses once per level and collects every error, so that one hostile
 * megabyte ends the process or takes seconds.
 */
function checkTokens(text: string): Problem | undefined {
  if (tabIndent.test(text)) return unsafe('a tab at the start of a line');
  let tokens = 0;
  let flowDepth = 0;
  let lineDepth = 0;
  for (const token of new Lexer().lex(text)) {
    tokens += 1;
    if (token === '[' || token === '{') flowDepth += 1;
    else if (token === ']' || token === '}') flowDepth -= 1;
    else if (token === '-' || token === '?' || token === ':') lineDepth += 1;
    else if (token.includes('\n')) lineDepth = 0;
    if (flowDepth === 0 && lineDepth > MAX_DEPTH) return unsafe('deep nesting');
    if (flowDepth > MAX_DEPTH) return unsafe('deep nesting');
    if (tokens > MAX_TOKENS) return unsafe(`more than ${MAX_TOKENS} tokens`);
    if (token.startsWith('"') && !hasValidEscapes(token)) {
      return { rule: 'yaml-syntax', expected: 'known escapes in quoted text', actual: 'an unknown escape' };
    }
  }
  return undefined;
}

const escapes = /\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[^]?)/gu;

function hasValidEscapes(token: string): boolean {
  for (const [, escape = ''] of token.matchAll(escapes)) {
    const isKnown = escape.length === 1 ? '0abtnvfre "/\\N_LP\t\r\n'.includes(escape) : escape.length > 2;
    if (!isKnown) return false;
  }
  return true;
}

/** Turns checked nodes into JSON values; remembers the first problem. */
class Conversion {
  problem: Problem | undefined;

  constructor(
    private readonly text: string,
    private readonly textKeys: TextKeys,
  ) {}

  convertMap(map: YAMLMap.Parsed, depth: number): JsonObject {
    this.checkNode(map, depth);
    const entries = new Map<string, Json>();
    for (const { key, value } of map.items) {
      if (this.problem !== undefined) break;
      const name = this.keyText(key);
      if (entries.has(name)) this.fail('duplicate-key', quote(name), key);
      const isText = depth === 1 && this.textKeys.has(name);
      entries.set(name, value === null ? null : this.convert(value, depth + 1, isText));
    }
    return Object.fromEntries(entries);
  }

  private convert(node: ParsedNode, depth: number, isText: boolean): Json {
    if (this.problem !== undefined) return null;
    if (isMap(node)) return this.convertMap(node, depth);
    this.checkNode(node, depth);
    if (isSeq(node)) return node.items.map((item) => this.convert(item, depth + 1, isText));
    return isScalar(node) ? scalarValue(node, isText) : null;
  }

  private keyText(key: ParsedNode): string {
    if (!isScalar(key) || key.value === null) {
      this.fail('yaml-unsafe', 'a key that is no text', key);
      return '';
    }
    this.checkNode(key, 1);
    if (key.source === '<<') this.fail('yaml-unsafe', 'a merge key', key);
    return key.source;
  }

  private checkNode(node: ParsedNode, depth: number): void {
    if (isAlias(node)) this.fail('yaml-unsafe', 'an alias', node);
    else if (node.anchor !== undefined) this.fail('yaml-unsafe', 'an anchor', node);
    else if (node.tag !== undefined) this.fail('yaml-unsafe', `the tag ${quote(node.tag)}`, node);
    else if (depth > MAX_DEPTH) this.fail('yaml-unsafe', 'deep nesting', node);
  }

  private fail(rule: RuleName, actual: string, node: ParsedNode): void {
    const line = lineAt(this.text, node.range[0]);
    this.problem ??= { rule, line, expected: expectations[rule] ?? '', actual };
  }
}

const decimal = /^(?:0|-?[1-9]\d*|-?(?:0|[1-9]\d*)\.\d+)$/u;

function scalarValue(node: Scalar.Parsed, isText: boolean): Json {
  const { value, source } = node;
  if (value === null) return null;
  if (isText) return source;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  const isPlain = typeof value === 'number' && decimal.test(source);
  return isPlain && (!Number.isInteger(value) || Number.isSafeInteger(value)) ? value : source;
}

const expectations: Partial<Record<RuleName, string>> = {
  'yaml-syntax': 'one YAML mapping',
  'yaml-unsafe': 'plain scalars and collections',
  'duplicate-key': 'every key once',
};

function describeError(
  text: string,
  error: { code: string; message: string; pos: [number, number] },
): Problem {
  if (error.code === 'RESOURCE_EXHAUSTION') return unsafe('deep nesting');
  const line = lineAt(text, error.pos[0]);
  const rule = unsafeErrors.has(error.code) ? 'yaml-unsafe' : 'yaml-syntax';
  return { rule, line, expected: expectations[rule]!, actual: quote(error.message) };
}

const unsafeErrors: ReadonlySet<string> = new Set([
  'MULTIPLE_DOCS',
  'TAG_RESOLVE_FAILED',
  'TAB_AS_INDENT',
  'BAD_ALIAS',
  'MULTIPLE_ANCHORS',
  'MULTIPLE_TAGS',
]);

function unsafe(actual: string): Problem {
  return { rule: 'yaml-unsafe', expected: expectations['yaml-unsafe']!, actual };
}

function failure(rule: RuleName, actual: string): { problem: Problem } {
  return { problem: { rule, expected: expectations[rule] ?? '', actual } };
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
