import type { TreePath } from '@deespec/domain';

import type { Truth } from '../src/decide.js';
import { Disk, MemoryFiles } from './memory-files.js';
import { Database, MemoryLedger } from './memory-ledger.js';
import { World } from './world.js';

/** Two stores in memory, empty. */
export interface Setup {
  readonly world: World;
  readonly disk: Disk;
  readonly database: Database;
  readonly files: MemoryFiles;
  readonly ledger: MemoryLedger;
  readonly truth: Truth;
  readonly now: () => Date;
}

/** @param truth - which store counts: the one that owes */
export function setUp(truth: Truth = 'files'): Setup {
  const world = new World(1);
  const disk = new Disk(world);
  const database = new Database(world);
  const files = new MemoryFiles(disk, { owes: truth === 'files' });
  const ledger = new MemoryLedger(database, { owes: truth === 'sqlite' });
  return { world, disk, database, files, ledger, truth, now: world.now };
}

export const directory = { kind: 'directory', mode: 0o755, bytes: Buffer.alloc(0) } as const;

export function text(content: string): { kind: 'file'; mode: number; bytes: Buffer } {
  return { kind: 'file', mode: 0o644, bytes: Buffer.from(content) };
}

export function put(setup: Setup, path: string, content: string): void {
  setup.disk.put(path as TreePath, text(content));
}

/** An edit of the database. */
export async function store(setup: Setup, path: string, content: string): Promise<void> {
  const expected = setup.ledger.find(path as TreePath)?.sha256;
  const version = { path: path as TreePath, ...text(content) };
  await setup.ledger.edit(() => ({ edits: [{ op: 'put', version, expected }] }));
}
