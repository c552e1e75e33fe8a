import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { runs } from '../capabilities.js';
import type { Place } from '../place.js';
import { startProgram } from '../writers/program.js';

/** Something that keeps one of the stores from being written. */
export interface Fault {
  /** Ends it. */
  end(): Promise<void>;
  /** True when it was seen to happen. Asked after its end. */
  wasHit(): boolean;
}

/** Another process keeps the write lock of the database. */
export async function lockDatabase({ database }: Place): Promise<Fault> {
  let isLocked = false;
  const locker = startProgram({
    name: 'unavailable/locker',
    argument: database,
    bugs: [],
    onMessage: () => (isLocked = true),
  });
  while (!isLocked && locker.isRunning) await sleep(5);
  if (!isLocked) throw new Error(`the database was not locked: ${await locker.end()}`);
  return { end: async () => void (await locker.stop()), wasHit: () => true };
}

/** Nobody can write to these files, not even root. Source: chattr(1), `i`. */
export function makeImmutable(files: readonly string[]): Fault {
  const there = files.filter((file) => existsSync(file));
  if (!runs('chattr', ['+i', ...there])) throw new Error(`chattr +i does not work on ${there.join(' ')}`);
  const end = async (): Promise<void> => {
    if (!runs('chattr', ['-i', ...there])) throw new Error(`chattr -i does not work on ${there.join(' ')}`);
  };
  return { end, wasHit: () => there.length > 0 };
}

/** Every write of a process to the log of the database finds the disk full. Source: strace(1), `inject`. */
export async function fillDisk({ database }: Place, pid: number, trace: string): Promise<Fault> {
  rmSync(trace, { force: true });
  const inject = 'inject=pwrite64:error=ENOSPC';
  const args = [
    '-f',
    '-o',
    trace,
    '-P',
    `${database}-wal`,
    '-e',
    'trace=pwrite64',
    '-e',
    inject,
    '-p',
    `${pid}`,
  ];
  const tracer = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  tracer.stderr.on('data', (text: Buffer) => (said += text.toString()));
  const ended = once(tracer, 'close');
  while (!said.includes('attached') && tracer.exitCode === null) await sleep(5);
  return {
    end: async () => {
      // It lets the process go on: SIGKILL would not.
      tracer.kill('SIGINT');
      await ended;
    },
    wasHit: () => existsSync(trace) && readFileSync(trace, 'latin1').includes('(INJECTED)'),
  };
}

/** The database with everything that belongs to it. */
export function databaseFiles({ home }: Place): string[] {
  return ['deespec.db', 'deespec.db-wal', 'deespec.db-shm'].map((name) => join(home, name));
}
