import type { Json, JsonObject } from '@deespec/domain';
import { parseTime } from '@deespec/domain';
import { isMap, isScalar, isSeq, Lexer } from 'yaml';
import type { Document, ParsedNode, YAMLMap } from 'yaml';

import { cannotExpress, malformed, withKey } from './edit.js';
import { isJsonObject } from './json-text.js';
import { parseYaml } from './yaml-text.js';

/**
 * Sets one key of a YAML mapping and keeps every byte outside its value: comments, order, indentation, line ends. A value
 * keeps its style where the new one can be written so (quotes, one line a list item); a new key goes after the last one of
 * its block.
 *
 * @param key - names from the root down; at least one
 * @throws StorageError `LAYOUT.MALFORMED` when `bytes` is no plain YAML mapping
 * @throws StorageError `LAYOUT.CANNOT_EXPRESS` when the edit would lose a comment or change another value
 */
export function setYamlKey(bytes: Buffer, key: readonly string[], value: Json): Buffer {
  const parsed = parseYaml(bytes);
  if (parsed.problem !== undefined) throw malformed(parsed.problem);
  if (key.length === 0) throw cannotExpress(key, 'no key is named');
  if (holdsHalfPair(value)) throw cannotExpress(key, 'half a surrogate pair is no text');
  const edit = planEdit(parsed, key, value);
  const text = parsed.text.slice(0, edit.from) + edit.text + parsed.text.slice(edit.to);
  const result = Buffer.from(text);
  const reparsed = parseYaml(result);
  const expected = JSON.stringify(withKey(parsed.value, key, value));
  if (reparsed.problem === undefined && JSON.stringify(reparsed.value) === expected) return result;
  throw cannotExpress(key, 'the edited text would not say what was asked for');
}

/** YAML's `\\u` escapes name characters, which half of a surrogate pair is not. */
function holdsHalfPair(value: Json): boolean {
  if (typeof value === 'string') return /\p{Surrogate}/u.test(value);
  if (Array.isArray(value)) return (value as readonly Json[]).some(holdsHalfPair);
  return isJsonObject(value) && Object.entries(value).flat().some(holdsHalfPair);
}

interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

interface Source {
  readonly text: string;
  readonly value: JsonObject;
  readonly document: Document.Parsed;
}

function planEdit(source: Source, key: readonly string[], value: Json): Edit {
  let map = source.document.contents as YAMLMap.Parsed;
  for (const name of key.slice(0, -1)) {
    const child = findPair(map, name)?.value;
    if (!isMap(child)) throw cannotExpress(key, `${JSON.stringify(name)} is no mapping`);
    map = child;
  }
  const pair = findPair(map, key.at(-1)!);
  if (pair === undefined) return planInsert(source, map, { key, value });
  const node = pair.value;
  if (node === null) throw cannotExpress(key, 'it has no value of its own');
  return planReplace(source, node, { key, value });
}

interface Wanted {
  readonly key: readonly string[];
  readonly value: Json;
}

function findPair(map: YAMLMap.Parsed, name: string): YAMLMap.Parsed['items'][number] | undefined {
  return map.items.find(({ key }) => isScalar(key) && key.source === name);
}

function planReplace({ text }: Source, node: ParsedNode, { key, value }: Wanted): Edit {
  const [from, end] = node.range;
  // The range of a block includes the line end that belongs to the next line.
  const to = from + text.slice(from, end).replace(/[\r\n]+$/u, '').length;
  if (hasComment(text, from, to))
    throw cannotExpress(key, 'its present value holds a comment, which would be lost');
  if (from < to) return { from, to, text: formatLike({ text, node }, value) };
  const afterColon = text.lastIndexOf(':', from - 1) + 1;
  return { from: afterColon, to: afterColon, text: ` ${formatFlow(value)}` };
}

/** True when a comment starts between two offsets. */
function hasComment(text: string, from: number, to: number): boolean {
  let offset = 0;
  let isContent = false;
  for (const token of new Lexer().lex(text)) {
    if (offset >= to) return false;
    if (offset >= from && !isContent && token.startsWith('#')) return true;
    isContent = token === CONTENT_FOLLOWS;
    if (!marks.has(token)) offset += token.length;
  }
  return false;
}

/** Tokens of the lexer that stand for no character of the text. */
const CONTENT_FOLLOWS = '\u001f';
const marks = new Set([CONTENT_FOLLOWS, '\u0002', '\u0018']);

function planInsert({ text }: Source, map: YAMLMap.Parsed, { key, value }: Wanted): Edit {
  const last = map.items.at(-1);
  if (map.flow === true || last === undefined) throw cannotExpress(key, 'its mapping is written in one line');
  const end = (last.value ?? last.key).range[2];
  const indent = indentAt(text, map.items[0]!.key.range[0]);
  const lineEnd = lineEndOf(text);
  const line = `${indent}${formatText(key.at(-1)!)}: ${formatFlow(value)}`;
  const startsLine = end === 0 || text[end - 1] === '\n';
  return { from: end, to: end, text: startsLine ? line + lineEnd : lineEnd + line };
}

function indentAt(text: string, offset: number): string {
  const line = text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset).replace('\ufeff', '');
  return ' '.repeat(line.length);
}

function lineEndOf(text: string): string {
  return /\r?\n/u.exec(text)?.[0] ?? '\n';
}

/** `value` in the style of the node it replaces. */
function formatLike({ text, node }: { text: string; node: ParsedNode }, value: Json): string {
  if (typeof value === 'string' && isScalar(node)) return formatText(value, node.type);
  if (!Array.isArray(value) || value.length === 0 || !isSeq(node) || node.flow === true)
    return formatFlow(value);
  const start = node.range[0];
  const indent = indentAt(text, start);
  const dash = /^-[ ]*/u.exec(text.slice(start))![0];
  return (value as readonly Json[])
    .map((item) => dash + formatFlow(item))
    .join(`${lineEndOf(text)}${indent}`);
}

function formatFlow(value: Json): string {
  if (typeof value === 'string') return formatText(value);
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(formatFlow).join(', ')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const pairs = Object.entries(value).map(([name, inner]) => `${formatText(name)}: ${formatFlow(inner)}`);
  return `{${pairs.join(', ')}}`;
}

const plain = /^[\p{L}_][\p{L}\p{N}_./-]*(?: [\p{L}\p{N}_./-]+)*$/u;
const reserved = /^(?:y|n|yes|no|on|off|true|false|null|~|-?\.(?:inf|nan))$/iu;
// eslint-disable-next-line no-control-regex
const special = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/u;

/** Text in the style asked for where every reader reads it back; else in single, else in double quotes. */
function formatText(text: string, style?: string | null): string {
  if (style !== 'QUOTE_SINGLE' && style !== 'QUOTE_DOUBLE' && isPlain(text)) return text;
  if (style !== 'QUOTE_DOUBLE' && !special.test(text)) return `'${text.replaceAll("'", "''")}'`;
  return JSON.stringify(text).replace(new RegExp(special, 'gu'), escapeCharacter);
}

function isPlain(text: string): boolean {
  return (plain.test(text) && !reserved.test(text)) || parseTime(text) !== undefined;
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
