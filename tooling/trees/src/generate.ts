import { writeAwkward } from './awkward.js';
import { writeFurniture, type TreeLayout } from './furniture.js';
import { writeSbiA } from './layout-a.js';
import { LayoutB } from './layout-b.js';
import { Scribe } from './scribe.js';
import type { TreeCounts } from './tree-writer.js';

export interface TreeOptions {
  readonly layout: TreeLayout;
  /** Ordinary SBIs, 0 or more; awkward ones come on top. About 5.6 files of 3 KB each. */
  readonly sbis: number;
  /** Any integer. The same options give the same names, bytes, modes and times. */
  readonly seed: number;
  /** Adds every awkward content, name, link and mode; the tree stays valid. */
  readonly awkward?: boolean;
  /** Adds `count` files of `bytes` bytes of noise each. */
  readonly attachments?: { readonly count: number; readonly bytes: number };
}

/** What a generated tree holds. */
export interface TreeSummary extends TreeCounts {
  /** SBI directories, awkward ones included. */
  readonly sbis: number;
  /** Execution rows that follow from the tree: journal lines, and artifacts that no line names. */
  readonly executions: number;
}

/**
 * Writes a valid `.deespec` tree.
 *
 * @param directory - the `.deespec` directory; created, or empty
 * @throws Error when the directory is not empty; file system errors as they come
 */
export function generateTree(directory: string, options: TreeOptions): TreeSummary {
  const scribe = new Scribe(directory, options.seed);
  const layoutB = options.layout === 'A' ? undefined : new LayoutB(scribe);
  writeFurniture(scribe, options.layout);
  for (let index = 0; index < options.sbis; index += 1) {
    if (layoutB === undefined || (options.layout === 'mixed' && index % 2 === 0)) writeSbiA(scribe);
    else layoutB.writeSbi();
  }
  if (options.awkward === true) writeAwkward(scribe, layoutB, options.layout !== 'B');
  if (options.attachments !== undefined) writeAttachments(scribe, options.attachments);
  layoutB?.finish();
  return { ...scribe.writer.finish(), sbis: scribe.sbis, executions: scribe.executions };
}

const chunkBytes = 65_536;

function writeAttachments(scribe: Scribe, { count, bytes }: { count: number; bytes: number }): void {
  const noise = scribe.random.bytes(chunkBytes);
  for (let file = 1; file <= count; file += 1) {
    scribe.write(`archives/attachments/attachment_${file}.bin`, chunks(noise, { file, bytes }));
  }
}

/** `bytes` bytes in chunks that differ from each other and between files, from one buffer: a file may be larger than memory. */
function* chunks(noise: Buffer, { file, bytes }: { file: number; bytes: number }): Generator<Buffer> {
  for (let at = 0; at < bytes; at += noise.length) {
    noise.writeDoubleLE(at + file / 1024, 0);
    yield noise.subarray(0, Math.min(noise.length, bytes - at));
  }
}
