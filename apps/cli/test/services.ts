// Background services that tests start have to be ended by them.
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { readStatus, stopTree } from '@deespec/storage';
import type { StatusReport } from '@deespec/storage';
import { deespec } from './support.js';
import type { Run } from './support.js';

const homes = new Set<string>();

/** Runs `start` on a tree whose service {@link endServices} ends. */
export async function start(home: string, ...args: string[]): Promise<Run> {
  homes.add(home);
  return deespec(['start', '--home', home, ...args]);
}

/** Remembers a tree whose service somebody else starts. */
export function willServe(home: string): void {
  homes.add(home);
}

/** Ends every service. */
export async function endServices(): Promise<void> {
  for (const home of homes) if (existsSync(home)) await stopTree({ home, all: false });
  homes.clear();
}

/** Where a tree stands. */
export function statusOf(home: string): Promise<StatusReport> {
  return readStatus({ home });
}

/** Resolves when the service of a tree says that it is in this state. */
export async function untilIn(home: string, state: 'watching' | 'waiting' | 'failing'): Promise<void> {
  await until(async () => (await statusOf(home)).service?.state === state);
}

/** True while a process runs and does more than wait for its parent. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/mu.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false;
  }
}

/** Resolves when `check` holds; fails after 20 s. */
export async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`not within 20 s: ${String(check)}`);
    await sleep(50);
  }
}
