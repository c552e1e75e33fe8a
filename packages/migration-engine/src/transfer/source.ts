import {
  CHUNK_BYTES,
  DIRECTORY_SHA256,
  type LoadContent,
  type TreeEntry,
  type TreePath,
  type TreeReader,
  type TreeStat,
} from '@deespec/domain';
import { createHash, hash } from 'node:crypto';

/** An entry of a live tree: what `lstat` says, with the time of its last change of any kind. */
export interface SourceStat extends TreeStat {
  /** Nanoseconds since 1970 UTC; unlike the modification time no program can set it. */
  readonly ctimeNs: bigint;
}

/** A live tree. */
export interface TreeSource extends TreeReader {
  scan(): Iterable<SourceStat>;
}

/** Hashes contents of the source beside its caller. Implemented by `@deespec/file-adapter`. */
export interface ContentHasher {
  /**
   * @returns `undefined` when it has enough to do; else SHA-256 (hex) in the order of `paths`, `undefined` for what could not be read:
   *   to be read by the caller, who meets the reason. Never rejects
   */
  hash(paths: readonly TreePath[]): Promise<readonly (string | undefined)[]> | undefined;
}

/** Small contents of one unit that are kept between deriving and writing it. 32 MiB. */
const KEPT_BYTES = 33_554_432;

/** What keeping a content costs beside its bytes: its buffer, its hash, its place in the map. Source: measured. */
const KEPT_COST_BYTES = 1_024;

/** Reads the contents of one unit, each small file once: what was parsed is what is stored. */
export class UnitContents implements TreeReader {
  private readonly kept = new Map<TreePath, { bytes: Buffer; sha256: string }>();
  private keptBytes = 0;

  constructor(private readonly source: TreeReader) {}

  scan(): Iterable<TreeStat> {
    return this.source.scan();
  }

  find(path: TreePath): TreeEntry | undefined {
    return this.source.find(path);
  }

  /** The content at `path` in chunks. */
  read(path: TreePath): Iterable<Buffer> {
    const kept = this.kept.get(path);
    return kept === undefined ? this.source.read(path) : [kept.bytes];
  }

  /** The content of an entry, hashed: whole up to 1 MiB, else as chunks that are hashed while they are consumed. */
  load(stat: TreeStat): LoadContent {
    if (stat.kind === 'directory') return { bytes: Buffer.alloc(0), sha256: DIRECTORY_SHA256 };
    if (stat.size > CHUNK_BYTES) return hashedChunks(this.source.read(stat.path));
    const kept = this.kept.get(stat.path);
    if (kept !== undefined) return kept;
    const chunks = [...this.source.read(stat.path)];
    const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
    const content = { bytes, sha256: hash('sha256', bytes) };
    const cost = bytes.length + KEPT_COST_BYTES;
    if (this.keptBytes + cost <= KEPT_BYTES) {
      this.kept.set(stat.path, content);
      this.keptBytes += cost;
    }
    return content;
  }

  /** The hash of an entry's content. */
  hash(stat: TreeStat): string {
    const content = this.load(stat);
    if ('bytes' in content) return content.sha256;
    for (const _ of content.chunks);
    return content.sha256();
  }
}

function hashedChunks(chunks: Iterable<Buffer>): LoadContent {
  const sum = createHash('sha256');
  function* hashed(): Generator<Buffer> {
    for (const chunk of chunks) {
      sum.update(chunk);
      yield chunk;
    }
  }
  return { chunks: hashed(), sha256: () => sum.digest('hex') };
}
