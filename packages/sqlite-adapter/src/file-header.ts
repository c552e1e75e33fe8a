import { StorageError } from '@deespec/domain';

import { APPLICATION_ID } from './handle.js';

/** Bytes of a database before its first page's content. */
export const HEADER_BYTES = 100;

/** What the header of a database file says. Source: sqlite.org/fileformat.html, "The Database Header". */
export interface FileHeader {
  readonly applicationId: number;
  readonly pageBytes: number;
  /** Pages the file must have; `undefined` when the last writer did not keep the count. */
  readonly pages: number | undefined;
  /** True when the database keeps a write-ahead log. */
  readonly isWal: boolean;
  /** What is not as this program makes a database, for people; empty when it is all the same. */
  readonly deviations: readonly string[];
}

/** A fact of the format: its name, its value in a file, and the values this program writes. */
type Fact = readonly [name: string, value: number, ours: readonly number[]];

/** Reads a header. `undefined` when the bytes are no SQLite header. */
export function parseHeader(bytes: Buffer): FileHeader | undefined {
  if (bytes.length < HEADER_BYTES || !bytes.toString('latin1').startsWith('SQLite format 3\0'))
    return undefined;
  const pageBytes = bytes.readUInt16BE(16) === 1 ? 65_536 : bytes.readUInt16BE(16);
  const isCounted = bytes.readUInt32BE(24) === bytes.readUInt32BE(92);
  const facts: Fact[] = [
    ['page size', pageBytes, [4096]],
    ['write version', bytes[18]!, [1, 2]],
    ['read version', bytes[19]!, [1, 2]],
    ['reserved bytes', bytes[20]!, [0]],
    ['maximum payload fraction', bytes[21]!, [64]],
    ['minimum payload fraction', bytes[22]!, [32]],
    ['leaf payload fraction', bytes[23]!, [32]],
    ['schema format', bytes.readUInt32BE(44), [4]],
    ['auto_vacuum', bytes.readUInt32BE(52), [0]],
    ['encoding', bytes.readUInt32BE(56), [1]],
    ['incremental vacuum', bytes.readUInt32BE(64), [0]],
  ];
  return {
    applicationId: bytes.readUInt32BE(68),
    pageBytes,
    pages: isCounted ? bytes.readUInt32BE(28) : undefined,
    isWal: bytes[18] === 2,
    deviations: facts.flatMap(([name, value, ours]) =>
      ours.includes(value) ? [] : [`${name} ${value} instead of ${ours[0]}`],
    ),
  };
}

/**
 * The header of a database of ours.
 *
 * @throws StorageError `DATABASE.NOT_SQLITE`, `DATABASE.FOREIGN`
 */
export function requireOurHeader(path: string, bytes: Buffer): FileHeader {
  const header = parseHeader(bytes);
  if (header === undefined) throw untouched('DATABASE.NOT_SQLITE', path, 'is not a SQLite database');
  if (header.applicationId === APPLICATION_ID) return header;
  const id = `application id 0x${header.applicationId.toString(16)}`;
  throw untouched('DATABASE.FOREIGN', path, `belongs to another program (${id})`);
}

/** The refusal of a file that is not ours. */
export function untouched(
  code: 'DATABASE.EMPTY_FILE' | 'DATABASE.NOT_SQLITE' | 'DATABASE.FOREIGN',
  path: string,
  what: string,
): StorageError {
  return new StorageError(code, `${path} ${what}`, {
    hint: 'it was not touched: move it away if it is not needed, then run "deespec migrate"',
    details: { path },
  });
}

/** @throws StorageError `DATABASE.FORMAT` */
export function requireFormat(path: string, { deviations }: FileHeader): void {
  if (deviations.length === 0) return;
  throw new StorageError(
    'DATABASE.FORMAT',
    `${path} is not in the form this program writes: ${deviations.join(', ')}`,
    {
      hint: 'it was not touched: move it away, then run "deespec migrate" to build it from the files again',
      details: { path, deviations },
    },
  );
}
