import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Command } from './measure.js';

const launcher = fileURLToPath(new URL('../../../apps/cli/bin/deespec.js', import.meta.url));

/** Where the benchmark works. */
export interface Place {
  /** The generated `.deespec`. */
  readonly home: string;
  /** For exports and copies; kept until the end, because ext4 creates files slowly right after many were removed. */
  readonly scratch: string;
  readonly sbiId: string;
}

/** What a figure is allowed to be, as a multiple of its baseline. */
export interface Budget {
  readonly must: number;
  readonly goal: number;
}

/** A command, what it is compared with, and what it may cost. */
export interface Case {
  readonly name: string;
  readonly baseline: BaselineName;
  readonly budget?: Budget;
  /** Puts things in order before each timed run. */
  readonly prepare?: (place: Place) => void;
  readonly command: (place: Place, round: number) => Command;
}

/** Baselines that are commands over the tree, and those of backups. */
export type BaselineName = 'sha256sum' | 'cp -r' | 'node -e 0';
export type BackupBaseline = 'sqlite3 .backup' | 'cp';

/** Baselines, by name. Those over the tree leave out the database and what else is ours. */
export const baselines: Readonly<Record<BaselineName, (place: Place, round: number) => Command>> = {
  sha256sum: ({ home }) => ({
    file: 'sh',
    args: ['-c', 'find "$@" -type f -print0 | xargs -0 sha256sum > /dev/null', 'sh', ...treeEntries(home)],
    cwd: home,
  }),
  'cp -r': ({ home, scratch }, round) => {
    const target = join(scratch, `copy-${round}`);
    mkdirSync(target);
    return { file: 'cp', args: ['-r', ...treeEntries(home), target], cwd: home };
  },
  'node -e 0': () => ({ file: process.execPath, args: ['-e', '0'] }),
};

/** What is measured, in the order of one round. Source of the budgets: README of this package. */
export const cases: readonly Case[] = [
  {
    name: 'migrate',
    baseline: 'sha256sum',
    budget: { must: 5, goal: 3 },
    prepare: ({ home }) => removeDatabase(home),
    command: ({ home }) => deespec('migrate', '--home', home),
  },
  {
    name: 'migrate, unchanged tree',
    baseline: 'sha256sum',
    budget: { must: 1.5, goal: 1 },
    command: ({ home }) => deespec('migrate', '--home', home),
  },
  {
    name: 'verify --check-all',
    baseline: 'sha256sum',
    command: ({ home }) => deespec('verify', '--check-all', '--home', home),
  },
  {
    name: 'export',
    baseline: 'cp -r',
    budget: { must: 2, goal: 1 },
    command: ({ home, scratch }, round) =>
      deespec('export', '--format=files', '--output', join(scratch, `export-${round}`), '--home', home),
  },
  {
    name: 'status',
    baseline: 'node -e 0',
    budget: { must: 3, goal: 2 },
    command: ({ home }) => deespec('status', '--home', home),
  },
  {
    name: 'health',
    baseline: 'node -e 0',
    budget: { must: 3, goal: 2 },
    command: ({ home }) => deespec('health', '--home', home),
  },
  {
    name: 'sbi list, 100 rows',
    baseline: 'node -e 0',
    command: ({ home }) => deespec('sbi', 'list', '--store', 'sqlite', '--limit', '100', '--home', home),
  },
  {
    name: 'sbi show',
    baseline: 'node -e 0',
    command: ({ home, sbiId }) => deespec('sbi', 'show', sbiId, '--store', 'sqlite', '--home', home),
  },
];

/** Most resident memory any command may have, bytes. */
export const memoryBudget: Budget = { must: 256 * 1024 * 1024, goal: 160 * 1024 * 1024 };

/** A run of the command line, its answer as JSON. */
export function deespec(...args: string[]): Command {
  return { file: process.execPath, args: [launcher, ...args, '--json'] };
}

const ours = /^(?:deespec\.db(?:-wal|-shm|-journal)?|backups|\.storage)$/u;

function treeEntries(home: string): string[] {
  return readdirSync(home)
    .filter((name) => !ours.test(name))
    .map((name) => `./${name}`);
}

function removeDatabase(home: string): void {
  for (const name of readdirSync(home).filter((entry) => ours.test(entry))) {
    rmSync(join(home, name), { recursive: true });
  }
}
