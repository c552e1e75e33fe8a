import { createHash } from 'node:crypto';

import { DIRECTORY_SHA256, pathFromText, StorageError } from '@deespec/domain';
import type { DerivedUnit, Finding, SbiId, TreeEntry, TreePath, TreeReader, TreeStat } from '@deespec/domain';
import { checks } from '@deespec/validators';

import { deriveTree, MemorySpool } from '../src/index.js';

/** What stands at a path: a file's content, a symlink's target, or a directory. */
export type Content = string | Buffer | { readonly link: string } | { readonly directory: true };

/** Time of every entry that does not say another: 2026-01-02T03:04:05.000000006Z. */
export const MTIME_NS = 1_767_323_045_000_000_006n;
export const MTIME = '2026-01-02T03:04:05.000000006Z';

export interface TreeOptions {
  readonly mtimes?: Readonly<Record<string, bigint>>;
  /** Size of the chunks that `read` gives; 1 MiB when absent. */
  readonly chunkBytes?: number;
}

/** A tree in memory; parent directories are made. */
export function treeOf(files: Readonly<Record<string, Content>>, options: TreeOptions = {}): TreeReader {
  const nodes = new Map<string, Content>();
  for (const [path, content] of Object.entries(files)) {
    const parts = pathFromText(path).split('/');
    for (let depth = 1; depth < parts.length; depth++) {
      nodes.set(parts.slice(0, depth).join('/'), { directory: true });
    }
    nodes.set(parts.join('/'), content);
  }
  const statOf = (path: string, content: Content): TreeStat => ({
    path: path as TreePath,
    kind: kindOf(content),
    mode: 0o644,
    mtimeNs: options.mtimes?.[path] ?? MTIME_NS,
    size: bytesOf(content).length,
  });
  const sorted = [...nodes].sort(([a], [b]) => compareScan(a, b));
  return {
    scan: () => sorted.map(([path, content]) => statOf(path, content)),
    find(path): TreeEntry | undefined {
      const content = nodes.get(path);
      if (content === undefined) return undefined;
      const hash = createHash('sha256').update(bytesOf(content)).digest('hex');
      const isDirectory = kindOf(content) === 'directory';
      return { ...statOf(path, content), sha256: isDirectory ? DIRECTORY_SHA256 : hash };
    },
    *read(path) {
      const content = nodes.get(path);
      if (content === undefined) throw new StorageError('FILE.NOT_FOUND', path);
      const bytes = bytesOf(content);
      const step = options.chunkBytes ?? 1_048_576;
      for (let start = 0; start < bytes.length; start += step) yield bytes.subarray(start, start + step);
    },
  };
}

function kindOf(content: Content): TreeStat['kind'] {
  if (typeof content === 'string' || Buffer.isBuffer(content)) return 'file';
  return 'link' in content ? 'symlink' : 'directory';
}

function bytesOf(content: Content): Buffer {
  if (typeof content === 'string') return Buffer.from(content);
  if (Buffer.isBuffer(content)) return content;
  return Buffer.from('link' in content ? content.link : '');
}

/** Scan order: a directory's content directly after it, names in byte order. */
function compareScan(a: string, b: string): number {
  return a.replaceAll('/', '\0') < b.replaceAll('/', '\0') ? -1 : 1;
}

/** Every unit of a tree. */
export function derive(files: Readonly<Record<string, Content>>, options: TreeOptions = {}): DerivedUnit[] {
  return [...deriveTree(treeOf(files, options), { checks, spool: new MemorySpool() })];
}

/** The one unit of a tree at `path`. */
export function unitAt(units: readonly DerivedUnit[], path: string): DerivedUnit {
  const unit = units.find((candidate) => candidate.path === path);
  if (unit === undefined) throw new Error(`no unit at ${path}`);
  return unit;
}

/** Rule names of all findings, in order. */
export function rulesOf(units: readonly DerivedUnit[]): string[] {
  return units.flatMap(({ findings }) => findings.map(({ rule }) => rule));
}

export function findingsOf(units: readonly DerivedUnit[]): Finding[] {
  return units.flatMap(({ findings }) => findings);
}

/** Paths of all quarantined entries. */
export function quarantinedOf(units: readonly DerivedUnit[]): string[] {
  return units.flatMap(({ quarantined }) => [...quarantined.keys()]);
}

export const ID = 'SBI-01M810CC01J2AAPQZVYRK1YMJR' as SbiId;
export const OTHER_ID = 'SBI-01M810CC093DHZQK57AH103BW2' as SbiId;
/** Directory of {@link ID}. */
export const DIR = `specs/sbi/${ID}`;
export const JOURNAL = 'var/journal.ndjson';

/** A `state.json` of the document's layout. */
export function state(fields: object = {}): string {
  return JSON.stringify({ id: ID, status: 'READY', created_at: '2026-01-01T00:00:00Z', ...fields });
}

/** A journal line for {@link ID}: a step that names its file. */
export function line(fields: Record<string, unknown> = {}): Record<string, unknown> {
  const { turn = 2, step = 'implement' } = fields as { turn?: number; step?: string };
  return {
    ts: `2026-01-01T00:00:0${turn}Z`,
    turn,
    step,
    decision: 'PENDING',
    elapsed_ms: 500,
    error: '',
    status: 'WIP',
    attempt: 1,
    artifacts: [`.deespec/${DIR}/${step}_${turn}.md`],
    ...fields,
  };
}

/** Journal lines of as many turns, from the second on. */
export function lines(count: number): Record<string, unknown>[] {
  return Array.from({ length: count }, (_, at) => line({ turn: at + 2, ts: '2026-01-01T00:00:02Z' }));
}

/** A pick line for {@link ID}. */
export function pick(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    ts: '2026-01-01T00:00:01Z',
    turn: 1,
    step: 'plan',
    decision: 'PENDING',
    elapsed_ms: 0,
    error: '',
    artifacts: [{ type: 'pick', id: ID, task_id: 'T-1', spec_path: `.deespec/${DIR}`, priority: 999 }],
    ...fields,
  };
}

/** Journal text of complete lines; a string is taken as it is. */
export function journal(...lines: (object | string)[]): string {
  return lines.map((item) => `${typeof item === 'string' ? item : JSON.stringify(item)}\n`).join('');
}
