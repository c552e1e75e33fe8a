import {
  pathFromDisplay,
  displayPath,
  isStorageError,
  type AuditRecord,
  type EntryKind,
  type TreePath,
} from '@deespec/domain';

// What this product writes down for itself in `.storage/` is read like any other input: everything is checked, and what does
// not hold is no record.

/** Fields of a JSON object that came from a file; the first that does not hold throws {@link NotARecord}. */
export class RecordFields {
  readonly #values: ReadonlyMap<string, unknown>;

  constructor(value: unknown) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new NotARecord();
    this.#values = new Map<string, unknown>(Object.entries(value));
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  raw(key: string): unknown {
    return this.#values.get(key);
  }

  text(key: string): string {
    const value = this.raw(key);
    if (typeof value !== 'string') throw new NotARecord();
    return value;
  }

  /** A text of the given form. */
  matching(key: string, form: RegExp): string {
    const value = this.text(key);
    if (!form.test(value)) throw new NotARecord();
    return value;
  }

  /** A safe integer, at least `least`. */
  whole(key: string, least = 0): number {
    const value = this.raw(key);
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) throw new NotARecord();
    return value;
  }

  mode(key: string): number {
    const value = this.whole(key);
    if (value > 0o7777) throw new NotARecord();
    return value;
  }

  kind(key: string): EntryKind {
    const value = this.text(key);
    if (value === 'file' || value === 'directory' || value === 'symlink') return value;
    throw new NotARecord();
  }

  /** Nanoseconds, written as text because a JSON number cannot hold them. */
  nanoseconds(key: string): bigint {
    return BigInt(this.matching(key, /^-?[0-9]{1,19}$/u));
  }

  /** A path inside the tree, written as lists print it. */
  path(key: string): TreePath {
    return pathOf(this.text(key));
  }

  list<T>(key: string, read: (item: unknown) => T): T[] {
    const value = this.raw(key);
    if (!Array.isArray(value)) throw new NotARecord();
    return value.map((item) => read(item));
  }
}

class NotARecord extends Error {}

/** What `read` makes of JSON text; `undefined` when it is no JSON, or does not hold what `read` asks for. */
export function parseRecord<T>(text: string, read: (fields: RecordFields) => T): T | undefined {
  try {
    return read(new RecordFields(JSON.parse(text)));
  } catch (error) {
    if (error instanceof NotARecord || error instanceof SyntaxError) return undefined;
    if (isStorageError(error, 'TREE.PATH_UNSAFE')) return undefined;
    throw error;
  }
}

/** A path as text that {@link RecordFields.path} reads back. */
export function textOfPath(path: TreePath): string {
  return displayPath(path);
}

/** The path that {@link textOfPath} wrote, whatever wrote it. */
export function pathOf(value: unknown): TreePath {
  if (typeof value !== 'string') throw new NotARecord();
  return pathFromDisplay(value);
}

export const SHA256 = /^[0-9a-f]{64}$/u;
/** The fixed width of `parseTime`. */
export const UTC_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/u;

const optional = ['oldValue', 'newValue', 'user', 'sessionId', 'requestId', 'oldHash', 'newHash'] as const;

/** A record of the chain of changes. Whether it is part of the chain, its hash says. */
export function readAuditRecord(fields: RecordFields): AuditRecord {
  const present = optional.filter((key) => fields.has(key)).map((key) => [key, fields.text(key)] as const);
  return {
    timestamp: fields.text('timestamp'),
    entityType: fields.text('entityType'),
    entityId: fields.text('entityId'),
    action: fields.text('action'),
    ...Object.fromEntries(present),
    seq: fields.whole('seq', 1),
    previous: fields.matching('previous', SHA256),
    hash: fields.matching('hash', SHA256),
  };
}
