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

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
// eslint-disable-next-line no-control-regex
const unprintable = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\\]/gu;

/**
 * A byte string as text for people: UTF-8 where it is well-formed, control and direction characters, backslashes and bytes
 * that are no UTF-8 as `\xHH` or `\u{H}`. One-to-one, safe for a terminal; not an input format.
 */
export function displayPath(path: string): string {
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

function hex(character: string, digits: number): string {
  return character.codePointAt(0)!.toString(16).padStart(digits, '0');
}

function checkedPath(path: string): TreePath {
  const unsafe =
    path === '' ||
    path.includes('\0') ||
    path.split('/').some((part) => part === '' || part === '.' || part === '..');
  if (!unsafe) return path as TreePath;
  throw new StorageError('TREE.PATH_UNSAFE', `not a path inside the tree: "${displayPath(path)}"`, {
    hint: 'paths are relative to .deespec and hold no empty, "." or ".." component',
  });
}
