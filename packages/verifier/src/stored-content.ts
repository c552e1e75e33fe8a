import { hash } from 'node:crypto';
import type { Differences } from './differences.js';
import type { Pace } from './pace.js';
import type { EntryRow, FullRow, StoredTree } from './stored-tree.js';

/** The content of an entry as read from the database now. */
export interface StoredContent {
  /** SHA-256 (hex) of the bytes; empty when there are none to hash. */
  readonly sha256: string;
  readonly size: number;
  /** A symlink's target. */
  readonly target: Buffer;
}

/** Reads stored contents and compares them with what the database records of them. */
export class ContentCheck {
  constructor(
    private readonly stored: StoredTree,
    private readonly differences: Differences,
    private readonly pace: Pace,
  ) {}

  /** Re-reads the content of `row` and reports whatever is wrong with it under `where`. */
  async check(row: FullRow, where: string): Promise<StoredContent> {
    if (row.kind === 'd') return this.#checkDirectory(row, where);
    const content = await this.#read(row);
    if (typeof content === 'string') {
      this.differences.add({ what: 'missing-content', where, expected: recorded(row), actual: content });
      return nothing;
    }
    this.#compare(where, row, { content, prefix: '' });
    if (row.found_content !== null) {
      const { content_sha256: sha256, content_size: size } = row;
      this.#compare(where, row, {
        content: { sha256, size },
        prefix: `content ${text(row.found_content)} records `,
      });
    }
    if (row.content_id !== null && row.execution_id !== null) {
      const actual = `content ${text(row.content_id)} and execution ${text(row.execution_id)}`;
      this.differences.add({ what: 'stored-content', where, expected: 'one content', actual });
    }
    return content;
  }

  #checkDirectory(row: FullRow, where: string): StoredContent {
    const bare = row.content_id === null && row.execution_id === null && row.sha256 === '' && row.size === 0n;
    if (!bare) {
      const expected = 'a directory without content';
      this.differences.add({ what: 'stored-content', where, expected, actual: recorded(row) });
    }
    return nothing;
  }

  #compare(
    where: string,
    row: FullRow,
    found: { readonly content: Described; readonly prefix: string },
  ): void {
    const expected = recorded(row);
    const actual = describe(found.content);
    if (expected === actual) return;
    this.differences.add({ what: 'stored-content', where, expected, actual: found.prefix + actual });
  }

  /** The content, or why there is none. */
  async #read(row: FullRow): Promise<(StoredContent & { readonly note?: string }) | string> {
    if (row.content_id === null) return this.#readExecution(row);
    const name = `content ${text(row.content_id)}`;
    if (row.found_content === null) return `${name} does not exist`;
    if (row.content_bytes !== null) return this.#whole(row.content_bytes, row);
    const sum = await this.stored.sumChunks(row.found_content, this.pace);
    if (sum.chunks === 0) return `${name} has neither bytes nor chunks`;
    const note = sum.missingChunk === undefined ? {} : { note: `, chunk ${sum.missingChunk} is missing` };
    return { sha256: sum.sha256, size: sum.size, target: none, ...note };
  }

  #readExecution(row: FullRow): StoredContent | string {
    if (row.execution_id === null) return 'the entry names no content';
    const name = `execution ${text(row.execution_id)}`;
    if (row.found_execution === null) return `${name} does not exist`;
    return row.execution_bytes === null ? `${name} has no content` : this.#whole(row.execution_bytes, row);
  }

  #whole(bytes: Buffer, row: FullRow): StoredContent {
    this.pace.addBytes(bytes.length);
    return { sha256: hash('sha256', bytes), size: bytes.length, target: row.kind === 'l' ? bytes : none };
  }
}

const none = Buffer.alloc(0);
const nothing: StoredContent = { sha256: '', size: 0, target: none };

/** What an entry's row says its content is. */
export function recorded(row: EntryRow): string {
  return describe(row);
}

interface Described {
  readonly sha256: unknown;
  readonly size: unknown;
  readonly note?: string;
}

/** A content for people: hash and length. */
export function describe(content: Described): string {
  return `sha256 ${text(content.sha256)}, ${text(content.size)} bytes${content.note ?? ''}`;
}

/** A column's value for people, whatever type a damaged database gives it. */
export function text(value: unknown): string {
  if (typeof value === 'string') return value.slice(0, 100).replaceAll(/[^\x20-\x7e]/gu, '?');
  if (typeof value === 'bigint' || typeof value === 'number') return value.toString();
  return value === null ? 'NULL' : 'a BLOB';
}
