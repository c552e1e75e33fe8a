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
