import { createHash } from 'node:crypto';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One entry as it stands on disk; `name` is latin1. */
export interface DiskEntry {
  readonly name: string;
  readonly kind: 'f' | 'd' | 'l';
  readonly mode: number;
  readonly mtimeNs: bigint;
  readonly content: Buffer;
}

/** A fresh `.deespec` path for `work`, removed afterwards. */
export function withDirectory<T>(work: (directory: string) => T): T {
  const parent = mkdtempSync(join(tmpdir(), 'deespec-trees-'));
  try {
    return work(join(parent, '.deespec'));
  } finally {
    rmSync(parent, { recursive: true });
  }
}

/** Every entry below `directory`, parents first, names in byte order. */
export function readTree(directory: string): DiskEntry[] {
  return walk(Buffer.from(directory), '');
}

/** A hash over every name, kind, mode, time and content. */
export function hashTree(directory: string): string {
  const hash = createHash('sha256');
  for (const { name, kind, mode, mtimeNs, content } of readTree(directory)) {
    hash.update(JSON.stringify([name, kind, mode, String(mtimeNs), content.length])).update(content);
  }
  return hash.digest('hex');
}

function walk(directory: Buffer, prefix: string): DiskEntry[] {
  const names = readdirSync(directory, { encoding: 'buffer' }).toSorted((a, b) => a.compare(b));
  return names.flatMap((bytes) => {
    const path = Buffer.concat([directory, Buffer.from('/'), bytes]);
    const stat = lstatSync(path, { bigint: true });
    const name = `${prefix}${bytes.toString('latin1')}`;
    const entry = { name, mode: Number(stat.mode & 0o7777n), mtimeNs: stat.mtimeNs };
    if (stat.isSymbolicLink()) {
      return [{ ...entry, kind: 'l', content: readlinkSync(path, { encoding: 'buffer' }) } as const];
    }
    if (stat.isFile()) return [{ ...entry, kind: 'f', content: readFileSync(path) } as const];
    return [{ ...entry, kind: 'd', content: Buffer.alloc(0) } as const, ...walk(path, `${name}/`)];
  });
}
