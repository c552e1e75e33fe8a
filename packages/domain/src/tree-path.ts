import { StorageError } from './errors.js';

declare const brand: unique symbol;

/**
 * A path below `.deespec`, as a *byte string*: one character (U+0000 to U+00FF) per byte of the name on disk, components
 * joined with `/`, no leading or trailing slash. File names are bytes, not text: this form is lossless for names that are
 * no UTF-8, compares bytewise with `<`, and is a `Map` key. Never print it: use {@link displayPath}.
 */
export type TreePath = string & { readonly [brand]: 'TreePath' };

/** The path whose bytes are `bytes`. @throws StorageError `TREE.PATH_UNSAFE` */
export function pathFromBytes(bytes: Uint8Array): TreePath {
  return checkedPath(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1'));
}

/** The path whose UTF-8 text is `text`. @throws StorageError `TREE.PATH_UNSAFE` */
export function pathFromText(text: string): TreePath {
  return checkedPath(Buffer.from(text, 'utf8').toString('latin1'));
}

/** The bytes of a path, as they stand on disk. */
export function pathToBytes(path: TreePath): Buffer {
  return Buffer.from(path, 'latin1');
}

/**
 * Joins a directory and one name, both byte strings. `parent` may be empty: the root.
 *
 * @throws StorageError `TREE.PATH_UNSAFE`
 */
export function joinPath(parent: string, name: string): TreePath {
  return checkedPath(parent === '' ? name : `${parent}/${name}`);
}

/** The directory that holds `path`; the empty string for an entry of the root. */
export function parentPath(path: TreePath): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

/** The last component of a path, a byte string. */
export function baseName(path: TreePath): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Shown as it is: what most paths are. */
const plain = /^[\x20-\x5b\x5d-\x7e]*$/u;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
// eslint-disable-next-line no-control-regex
const unprintable = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\\]/gu;

/**
 * A byte string as text for people: UTF-8 where it is well-formed, control and direction characters, backslashes and bytes
 * that are no UTF-8 as `\xHH` or `\u{H}`. One-to-one, safe for a terminal; {@link pathFromDisplay} reads it back.
 */
export function displayPath(path: string): string {
  if (plain.test(path)) return path;
  let text: string;
  try {
    text = utf8.decode(Buffer.from(path, 'latin1'));
  } catch {
    return path.replace(/[^\x20-\x5b\x5d-\x7e]/gu, (c) => `\\x${hex(c, 2)}`);
  }
  return text.replace(unprintable, (c) =>
    c === '\\' ? '\\\\' : c < '\u0080' ? `\\x${hex(c, 2)}` : `\\u{${hex(c, 4)}}`,
  );
}

/**
 * The path that {@link displayPath} shows as `text`; characters need not be escaped but for the backslash, so that a path
 * can be typed as well as copied.
 *
 * @throws StorageError `TREE.PATH_UNSAFE`, also for a backslash that begins no escape
 */
export function pathFromDisplay(text: string): TreePath {
  const parts = [...text.matchAll(escaped)].map(({ 0: part, groups = {} }) => {
    if (groups['byte'] !== undefined) return Buffer.from(groups['byte'], 'hex');
    if (groups['code'] !== undefined) return codePoint(groups['code'], text);
    if (part === '\\') throw badEscape(text);
    return Buffer.from(part === '\\\\' ? '\\' : part, 'utf8');
  });
  return pathFromBytes(Buffer.concat(parts));
}

const escaped = /\\x(?<byte>[0-9a-fA-F]{2})|\\u\{(?<code>[0-9a-fA-F]{1,6})\}|\\\\|\\|[^\\]+/gu;

function codePoint(digits: string, text: string): Buffer {
  const code = Number.parseInt(digits, 16);
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) throw badEscape(text);
  return Buffer.from(String.fromCodePoint(code), 'utf8');
}

function badEscape(text: string): StorageError {
  return new StorageError('TREE.PATH_UNSAFE', `a backslash begins no escape in "${text}"`, {
    hint: 'write a backslash as \\\\, a byte as \\xHH, a character as \\u{H}: as the lists print paths',
    details: { path: text },
  });
}

function hex(character: string, digits: number): string {
  return character.codePointAt(0)!.toString(16).padStart(digits, '0');
}

/** An empty, "." or ".." component, or NUL. */
const unsafe = /(?:^|\/)\.{0,2}(?:\/|$)|\0/u;

function checkedPath(path: string): TreePath {
  if (!unsafe.test(path)) return path as TreePath;
  throw new StorageError('TREE.PATH_UNSAFE', `not a path inside the tree: "${displayPath(path)}"`, {
    hint: 'paths are relative to .deespec and hold no empty, "." or ".." component',
  });
}
