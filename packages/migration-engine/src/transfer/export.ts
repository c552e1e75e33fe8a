import type { TreeReader, TreeStat } from '@deespec/domain';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { interrupted, type Tally } from './match.js';

/** What a tree is written to. Implemented by `@deespec/file-adapter`. */
export interface TreeSink {
  /** Creates one entry; they come in scan order, what a directory holds directly after it. */
  put(stat: TreeStat, chunks: Iterable<Buffer>): void;
  /** Sets what only the last write may set. */
  finish(): void;
}

/** What {@link exportTree} takes. */
export interface ExportTreeOptions {
  readonly source: TreeReader;
  readonly sink: TreeSink;
  readonly onProgress?: (done: Tally) => void;
  readonly signal?: AbortSignal;
}

/** Milliseconds of work between two turns of the event loop. */
const SLICE_MS = 50;

/**
 * Writes every entry of `source` to `sink`, which is whole when it resolves. To make it durable is the caller's.
 *
 * @throws StorageError those of both sides; `INTERRUPTED`
 */
export async function exportTree({ source, sink, onProgress, signal }: ExportTreeOptions): Promise<Tally> {
  const done = { entries: 0, bytes: 0 };
  let sliceEnd = Date.now() + SLICE_MS;
  for (const stat of source.scan()) {
    sink.put(stat, stat.kind === 'directory' ? [] : source.read(stat.path));
    done.entries += 1;
    done.bytes += stat.size;
    if (Date.now() < sliceEnd) continue;
    onProgress?.({ ...done });
    await nextTurn();
    if (signal?.aborted === true) throw interrupted();
    sliceEnd = Date.now() + SLICE_MS;
  }
  sink.finish();
  return done;
}
