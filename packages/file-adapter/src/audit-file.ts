import { CHUNK_BYTES, StorageError, type AuditRecord } from '@deespec/domain';

import { readError, writeError, type WriteStage } from './file-error.js';
import { appendLines, splitLines } from './line-file.js';
import { OwnArea, readAt, STORAGE } from './own-area.js';
import { parseRecord, readAuditRecord } from './record-json.js';

/** Every record of the chain of changes, a JSON object a line. Source: docs/adr/0013. */
const PLACE = `${STORAGE}/audit.ndjson`;
const TAIL_BYTES = 65_536;
const MOST_TAIL_BYTES = 64 * 1_048_576;

/**
 * The chain of changes outside the database: the anchor that a database cannot rewrite. Only ever appended to. A line that is
 * no record, such as one that a crash tore, is passed over.
 */
export class AuditFile {
  constructor(private readonly area: OwnArea) {}

  /**
   * The last record, or `undefined` when there is none.
   *
   * @throws StorageError `AUDIT.BROKEN` when the file ends in 64 MiB without one; `FILE.READ_FAILED`, `FILE.PERMISSION`
   */
  head(): AuditRecord | undefined {
    return reading(() =>
      this.area.open(PLACE, (handle, size) => {
        for (let length = TAIL_BYTES; ; length *= 2) {
          const part = Math.min(length, size);
          const found = lastRecord(readAt(this.area.root, handle, { start: size - part, length: part }));
          if (found !== undefined || part === size) return found;
          if (length >= MOST_TAIL_BYTES) throw broken();
        }
      }),
    );
  }

  /**
   * Appends those of `records` that are not there yet, in one write.
   *
   * @throws StorageError `FILE.OUTCOME_UNKNOWN`, or one that says that nothing was written
   */
  append(records: readonly AuditRecord[], { isSynced }: { readonly isSynced: boolean }): void {
    const head = this.head()?.seq ?? 0;
    const fresh = records.filter(({ seq }) => seq > head);
    if (fresh.length === 0 && !isSynced) return;
    let stage: WriteStage = 'before';
    try {
      this.area.ensure(STORAGE);
      appendLines(this.area.root, {
        place: PLACE,
        lines: Buffer.from(fresh.map((record) => `${JSON.stringify(record)}\n`).join('')),
        mode: 0o600,
        isSynced,
        advance: (next) => (stage = next),
      });
    } catch (error) {
      throw writeError(error, PLACE, stage);
    }
  }

  /** Records after `seq`, in the order of the file. Streams. @throws StorageError `FILE.READ_FAILED`, `FILE.PERMISSION` */
  *since(seq: number): Generator<AuditRecord> {
    for (const line of splitLines(this.#chunks())) {
      const record = parseRecord(line.toString('utf8'), readAuditRecord);
      if (record !== undefined && record.seq > seq) yield record;
    }
  }

  *#chunks(): Generator<Buffer> {
    for (let start = 0; ; start += CHUNK_BYTES) {
      const chunk = reading(() =>
        this.area.open(PLACE, (handle) => readAt(this.area.root, handle, { start, length: CHUNK_BYTES })),
      );
      if (chunk === undefined || chunk.length === 0) return;
      yield chunk;
      if (chunk.length < CHUNK_BYTES) return;
    }
  }
}

function lastRecord(tail: Buffer): AuditRecord | undefined {
  for (let end = tail.length; end > 0;) {
    const start = tail.lastIndexOf(0x0a, end - 1) + 1;
    const record = parseRecord(tail.toString('utf8', start, end), readAuditRecord);
    if (record !== undefined) return record;
    end = start - 1;
  }
  return undefined;
}

function reading<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw readError(error, PLACE);
  }
}

function broken(): StorageError {
  return new StorageError('AUDIT.BROKEN', `"${PLACE}" ends in more than 64 MiB without a record`, {
    hint: 'move it away and look at it; a new chain begins then',
    details: { path: PLACE },
  });
}
