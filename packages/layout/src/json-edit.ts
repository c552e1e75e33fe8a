import type { Json, JsonObject } from '@deespec/domain';
import { findNodeAtLocation, parseTree } from 'jsonc-parser';
import type { Node } from 'jsonc-parser';

import { cannotExpress, malformed, withKey, withoutKey } from './edit.js';
import { isJsonObject, parseJson, parseJsonObject } from './json-text.js';

/**
 * Sets one key of a JSON object and keeps every byte outside of it. A value is replaced in place by `valueJson` as it is
 * spelled; a new key goes after the last one of its object, with the spacing of that one. Missing objects on the way are made.
 *
 * @param key - names from the root down; at least one
 * @throws StorageError `LAYOUT.MALFORMED` when `bytes` is no JSON object that every reader reads alike
 * @throws StorageError `LAYOUT.CANNOT_EXPRESS` when a step of `key` is no object, or `valueJson` is no strict JSON
 */
export function setJsonKey(bytes: Buffer, key: readonly string[], valueJson: string): Buffer {
  const { text, value } = parseStrict(bytes);
  const added = parseJson(Buffer.from(valueJson));
  if (added.problem !== undefined || added.text !== valueJson) {
    throw cannotExpress(key, 'the value is no JSON that every reader reads alike');
  }
  const place = findPlace(text, value, key);
  const edited = insertAt(text, place, valueJson);
  return checked(edited, withKey(value, key, added.value), key);
}

/**
 * Removes one key of a JSON object and the comma that goes with it; undoes `setJsonKey` of a new key byte by byte. `bytes`
 * as they are when the key is absent.
 *
 * @throws StorageError `LAYOUT.MALFORMED`, `LAYOUT.CANNOT_EXPRESS`
 */
export function removeJsonKey(bytes: Buffer, key: readonly string[]): Buffer {
  const { text, value } = parseStrict(bytes);
  const place = findPlace(text, value, key);
  if (place.node === undefined) return bytes;
  const property = place.node.parent!;
  const siblings = place.object.children!;
  const index = siblings.indexOf(property);
  const from = index > 0 ? endOf(siblings[index - 1]!) : property.offset;
  const next = siblings[index + 1];
  const to = index > 0 || next === undefined ? endOf(property) : next.offset;
  return checked(text.slice(0, from) + text.slice(to), withoutKey(value, key), key);
}

/**
 * The value of `storage_mode` in `setting.json`, `undefined` when absent.
 *
 * @throws StorageError `LAYOUT.MALFORMED`: a mode is never guessed
 */
export function readSettingMode(bytes: Buffer): unknown {
  const { value } = parseStrict(bytes);
  return Object.hasOwn(value, 'storage_mode') ? value['storage_mode'] : undefined;
}

/** Where a key is, or is to be added. */
interface Place {
  /** The value, when the key is there. */
  readonly node?: Node;
  /** The deepest object on the way that is there. */
  readonly object: Node;
  /** Names from that object down. */
  readonly rest: readonly string[];
}

function findPlace(text: string, value: JsonObject, key: readonly string[]): Place {
  if (key.length === 0) throw cannotExpress(key, 'no key is named');
  const root = parseTree(text)!;
  let object: Json | undefined = value;
  for (let depth = 0; depth < key.length; depth++) {
    if (!isJsonObject(object)) throw cannotExpress(key, `${JSON.stringify(key[depth - 1])} is no object`);
    const node = findNodeAtLocation(root, key.slice(0, depth))!;
    if (!Object.hasOwn(object, key[depth]!)) return { object: node, rest: key.slice(depth) };
    object = object[key[depth]!];
  }
  const node = findNodeAtLocation(root, [...key])!;
  return { node, object: node.parent!.parent!, rest: key.slice(-1) };
}

function insertAt(text: string, { node, object, rest }: Place, valueJson: string): string {
  if (node !== undefined) return text.slice(0, node.offset) + valueJson + text.slice(endOf(node));
  const last = object.children!.at(-1);
  const colon = last === undefined ? ': ' : colonOf(text, last);
  const nested = rest
    .slice(1)
    .reduceRight((inner, name) => `{${JSON.stringify(name)}${colon}${inner}}`, valueJson);
  const property = `${JSON.stringify(rest[0])}${colon}${nested}`;
  const at = last === undefined ? object.offset + 1 : endOf(last);
  const before = last === undefined ? '' : `,${spaceBefore(text, last.offset)}`;
  return text.slice(0, at) + before + property + text.slice(at);
}

/** The text between a property's key and its value. */
function colonOf(text: string, property: Node): string {
  const [name, value] = property.children!;
  return text.slice(endOf(name!), value!.offset);
}

function spaceBefore(text: string, offset: number): string {
  return /[ \t\r\n]*$/u.exec(text.slice(0, offset))![0];
}

function endOf(node: Node): number {
  return node.offset + node.length;
}

function parseStrict(bytes: Buffer): { readonly text: string; readonly value: JsonObject } {
  const parsed = parseJsonObject(bytes);
  if (parsed.problem !== undefined) throw malformed(parsed.problem);
  return parsed;
}

function checked(text: string, expected: Json, key: readonly string[]): Buffer {
  const bytes = Buffer.from(text);
  const parsed = parseJson(bytes);
  const isRight = parsed.problem === undefined && JSON.stringify(parsed.value) === JSON.stringify(expected);
  if (!isRight) throw cannotExpress(key, 'the edited text would not say what was asked for');
  return bytes;
}
