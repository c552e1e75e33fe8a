import { parseJsonObject } from './json-text.js';

/** One line of a journal, without its line feed. */
export interface JournalLine {
  /** At most {@link MAX_LINE_BYTES} of the line. */
  readonly bytes: Buffer;
  /** Counted from 1. */
  readonly number: number;
  /** Offset of the first byte in the file. */
  readonly offset: number;
  /** Offset behind the last byte, its line feed included. */
  readonly end: number;
  /** True when the line is longer than {@link MAX_LINE_BYTES}. */
  readonly isTooLong: boolean;
  /** False for a last line without line feed. */
  readonly isComplete: boolean;
}

/** Longest journal line that is parsed: 1 MiB. */
export const MAX_LINE_BYTES = 1_048_576;

/** Where a line of a journal begins. */
export interface JournalPlace {
  /** Its number, counted from 1. */
  readonly line: number;
  /** Offset of its first byte in the file. */
  readonly offset: number;
}

/** Where the first line of a journal begins. */
export const JOURNAL_START: JournalPlace = { line: 1, offset: 0 };

/**
 * Splits chunks into lines. Memory is bounded by one line of {@link MAX_LINE_BYTES} and one chunk.
 *
 * The Go tool writes an object first and its line feed then. A line of ours that came between the two stands behind that object
 * on one line; the two are given as two, of one number. Other lines with several objects stay whole: who wrote them is not known.
 *
 * @param start - where the first chunk begins
 */
export function* readLines(
  chunks: Iterable<Buffer>,
  start: JournalPlace = JOURNAL_START,
): Iterable<JournalLine> {
  const line = new LineBuffer(start);
  for (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, from)) {
      line.append(chunk.subarray(from, end));
      yield* apart(line.take(true));
      from = end + 1;
    }
    line.append(Buffer.from(chunk.subarray(from))); // a copy: a reader may fill the chunk again
  }
  if (line.size > 0) yield line.take(false);
}

/** How each line of ours begins, behind the end of another object. */
const JOINED = Buffer.from('}{"artifacts":[');

/** Most lines of ours behind one object that are looked for: the time between its two writes is short. */
const MAX_JOINED = 8;

/** The objects of a line to which lines of ours were joined, in order; else the line as it is. */
function apart(line: JournalLine): JournalLine[] {
  const { bytes, offset } = line;
  const ends: number[] = [];
  let end = bytes.length;
  for (let tries = 0; !line.isTooLong && tries < MAX_JOINED; tries += 1) {
    const at = bytes.lastIndexOf(JOINED, (ends[0] ?? bytes.length) - JOINED.length);
    if (at < 0) break;
    if (!isOurs(bytes.subarray(at + 1, end))) return [line];
    end = at + 1;
    ends.unshift(end);
  }
  if (ends.length === 0 || parseJsonObject(bytes.subarray(0, end)).problem !== undefined) return [line];
  return [0, ...ends].map((start, index) => {
    const next = ends[index];
    const part = { ...line, bytes: bytes.subarray(start, next), offset: offset + start };
    return next === undefined ? part : { ...part, end: offset + next };
  });
}

/** True for an object with the id that lines of ours carry. */
function isOurs(bytes: Buffer): boolean {
  const parsed = parseJsonObject(bytes);
  return parsed.problem === undefined && typeof parsed.value['id'] === 'string';
}

class LineBuffer {
  size = 0;
  private parts: Buffer[] = [];
  private number: number;
  private offset: number;

  constructor(start: JournalPlace) {
    this.number = start.line;
    this.offset = start.offset;
  }

  append(bytes: Buffer): void {
    const room = MAX_LINE_BYTES - this.size;
    if (bytes.length > 0 && room > 0) this.parts.push(bytes.subarray(0, room));
    this.size += bytes.length;
  }

  take(isComplete: boolean): JournalLine {
    const { size, number, offset } = this;
    const bytes = this.parts.length === 1 ? this.parts[0]! : Buffer.concat(this.parts);
    this.parts = [];
    this.size = 0;
    this.number += 1;
    this.offset += size + Number(isComplete);
    const end = this.offset;
    return { bytes, number, offset, end, isTooLong: size > MAX_LINE_BYTES, isComplete };
  }
}
