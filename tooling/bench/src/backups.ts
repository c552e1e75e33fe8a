import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { createBackup, readBackups, migrate, openStorage, setMode } from '@deespec/storage';
import { generateTree } from '@deespec/trees';

import { deespec } from './cases.js';
import { measure, type Command, type Sample } from './measure.js';
import type { QuerySamples } from './queries.js';
import type { BenchmarkOptions, CaseResult } from './run-benchmark.js';

/** Most SBIs of the tree; attachments make up the rest of its bytes. */
const MAX_SBIS = 2_000;

/** Size of one attachment, bytes. */
const ATTACHMENT = 16 * 1024 * 1024;

/** Pause between two calls of the writer, milliseconds: it is there, and leaves the disk to others. */
const BETWEEN_MS = 20;

/** How long the writer is timed alone, milliseconds. */
const ALONE_MS = 10_000;

/** What backups cost: the commands against the shell's, and the calls of a writer without and with one. */
export interface BackupSamples {
  readonly cases: readonly CaseResult[];
  readonly writes: readonly QuerySamples[];
}

/**
 * Makes a tree of `bytes` bytes in mode `sqlite`, then times backup and restore in rounds, and the calls of a writer beside one.
 * Needs the sqlite3 shell.
 */
export async function timeBackups(options: BenchmarkOptions): Promise<BackupSamples> {
  const { backupBytes: bytes, directory, runs, onStep } = options;
  const home = join(directory, 'backups', '.deespec');
  onStep(`backups: a database of ${bytes} bytes`);
  const sbis = Math.min(options.sbis, MAX_SBIS);
  generateTree(home, {
    layout: 'mixed',
    sbis,
    seed: 2,
    attachments: { count: Math.ceil(bytes / ATTACHMENT), bytes: Math.min(bytes, ATTACHMENT) },
  });
  await migrate({ home });
  await setMode({ home, mode: 'dual_write' });
  await setMode({ home, mode: 'sqlite' });
  const rows = new Rows();
  for (let round = 1; round <= runs; round += 1) {
    onStep(`backups: round ${round} of ${runs}`);
    await runRound(home, rows, options);
  }
  onStep('backups: a writer beside one');
  const writes = await timeWriter(home, options);
  rmSync(join(directory, 'backups'), { recursive: true });
  return { cases: rows.results, writes };
}

/** Samples of each row. Source of the budgets: README of this package. */
class Rows {
  readonly copied = row('backup create, durable copy', 'sqlite3 .backup', { must: 1.2, goal: 1 });
  readonly verified = row('backup create, verified', 'sqlite3 .backup', { must: 2.5, goal: 2 });
  readonly restored = row('restore, verified', 'cp', { must: 2.5, goal: 2 });

  get results(): CaseResult[] {
    return [this.copied, this.verified, this.restored];
  }
}

interface Row extends CaseResult {
  readonly samples: Sample[];
  readonly baseline: Sample[];
}

function row(name: string, baseline: 'sqlite3 .backup' | 'cp', budget: { must: number; goal: number }): Row {
  return { case: { name, baseline, budget }, samples: [], baseline: [] };
}

async function runRound(home: string, rows: Rows, { signal, onStep }: BenchmarkOptions): Promise<void> {
  const time = async (title: string, command: Command): Promise<Sample> => {
    const sample = await measure(command, signal);
    onStep(`  ${title}: ${Math.round(sample.wallMs)} ms`);
    return sample;
  };
  const database = join(home, 'deespec.db');
  const copy = join(home, '..', 'copy.db');
  const shell = await time('sqlite3 .backup', { file: 'sqlite3', args: [database, `.backup '${copy}'`] });
  rmSync(copy);
  const plain = await time('cp', { file: 'cp', args: [database, copy] });
  rmSync(copy);
  const wallMs = await timeCopy(home);
  onStep(`  durable copy: ${Math.round(wallMs)} ms`);
  rmSync(join(home, 'backups'), { recursive: true });
  rows.copied.samples.push({ wallMs, peakBytes: undefined, stdout: '' });
  rows.verified.samples.push(await time('backup create', deespec('backup', 'create', '--home', home)));
  const { backups } = await readBackups({ home });
  const restore = deespec('restore', backups[0]!.id, '--yes', '--home', home);
  rows.restored.samples.push(await time('restore', restore));
  rows.copied.baseline.push(shell);
  rows.verified.baseline.push(shell);
  rows.restored.baseline.push(plain);
  dropCopies(home);
}

/** From the call until the copy is durable and its check begins, milliseconds. */
async function timeCopy(home: string): Promise<number> {
  const started = performance.now();
  let copiedAt = 0;
  const onProgress = ({ phase }: { readonly phase: string }): void => {
    if (phase === 'verify') copiedAt ||= performance.now();
  };
  await createBackup({ home, onProgress });
  return copiedAt - started;
}

/** Backups, and the databases that restores replaced: the next round has the disk that this one had. */
function dropCopies(home: string): void {
  rmSync(join(home, 'backups'), { recursive: true });
  for (const name of readdirSync(join(home, '.storage/trash'))) {
    rmSync(join(home, '.storage/trash', name), { recursive: true });
  }
}

async function timeWriter(home: string, { signal }: BenchmarkOptions): Promise<QuerySamples[]> {
  const storage = await openStorage({ home, user: 'bench' });
  try {
    const made = await storage.createSbi({ title: 'of the writer', spec: '# Spec\n' });
    const write = async (isOver: () => boolean): Promise<number[]> => {
      const samples: number[] = [];
      while (!isOver()) {
        const started = performance.now();
        await storage.updateSbi(await storage.getSbi(made.id), { priority: samples.length % 100 });
        samples.push(performance.now() - started);
        await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
      }
      return samples;
    };
    const endsAt = performance.now() + ALONE_MS;
    const alone = await write(() => performance.now() > endsAt);
    let isMade = false;
    const backup = measure(deespec('backup', 'create', '--home', home), signal).finally(() => {
      isMade = true;
    });
    const [during] = await Promise.all([write(() => isMade), backup]);
    return [
      { name: 'sqlite: set a priority, no backup', samples: alone },
      { name: 'sqlite: set a priority, during a backup', samples: during },
    ];
  } finally {
    await storage.close();
  }
}
