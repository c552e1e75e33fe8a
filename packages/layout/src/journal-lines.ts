/** One line of a journal, without its line feed. */
export interface JournalLine {
  /** At most {@link MAX_LINE_BYTES} of the line. */
  readonly bytes: Buffer;
  /** Counted from 1. */
  readonly number: number;
  /** Offset of the first byte in the file. */
  readonly offset: number;
  /** True when the line is longer than {@link MAX_LINE_BYTES}. */
  readonly isTooLong: boolean;
  /** False for a last line without line feed. */
  readonly isComplete: boolean;
}

/** Longest journal line that is parsed: 1 MiB. */
export const MAX_LINE_BYTES = 1_048_576;

/** Splits chunks into lines. Memory is bounded by one line of {@link MAX_LINE_BYTES} and one chunk. */
export function* readLines(chunks: Iterable<Buffer>): Iterable<JournalLine> {
  const line = new LineBuffer();
  for (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      line.append(chunk.subarray(start, end));
      yield line.take(true);
      start = end + 1;
    }
    line.append(Buffer.from(chunk.subarray(start))); // a copy: a reader may fill the chunk again
  }
  if (line.size > 0) yield line.take(false);
}

class LineBuffer {
  size = 0;
  private parts: Buffer[] = [];
  private number = 1;
  private offset = 0;

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
    this.offset += size + 1;
    return { bytes, number, offset, isTooLong: size > MAX_LINE_BYTES, isComplete };
  }
}
