import { hostname } from 'node:os';

import type { Place } from '../place.js';
import type { ProductRun } from '../product.js';

/** A command that is run together with another one. */
export interface TogetherCommand {
  /** What it calls itself to those whom it keeps out. */
  readonly name: string;
  /** How it holds the tree; `none`: not at all. */
  readonly access: 'exclusive' | 'shared' | 'none';
  /** Exit code beside 0 with which it has done its work. */
  readonly otherEnd?: number;
  /** @param copy - tells two exports at the same time apart */
  readonly args: (place: Place, copy: string) => readonly string[];
}

export const commands: readonly TogetherCommand[] = [
  { name: 'migrate', access: 'exclusive', args: ({ home }) => ['migrate', '--home', home] },
  {
    name: 'migrate --dry-run',
    access: 'exclusive',
    args: ({ home }) => ['migrate', '--dry-run', '--home', home],
  },
  {
    name: 'migrate --quarantine',
    access: 'exclusive',
    args: ({ home }) => ['migrate', '--quarantine', '--home', home],
  },
  {
    name: 'quarantine retry',
    access: 'exclusive',
    args: ({ home }) => ['quarantine', 'retry', '--home', home],
  },
  {
    name: 'verify',
    access: 'shared',
    otherEnd: 2,
    args: ({ home }) => ['verify', '--check-all', '--home', home],
  },
  {
    name: 'export',
    access: 'shared',
    args: ({ home, output }, copy) => ['export', '--format=files', '--output', output + copy, '--home', home],
  },
  { name: 'status', access: 'none', args: ({ home }) => ['status', '--home', home] },
];

/** True when it did its work. A verification before the migration finds that the tree has changed. */
export function didWork({ otherEnd }: TogetherCommand, { exitCode }: ProductRun): boolean {
  return exitCode === 0 || (otherEnd !== undefined && exitCode === otherEnd);
}

/** True when the two may work at the same time. */
export function getAlong(a: TogetherCommand, b: TogetherCommand): boolean {
  return a.access === 'none' || b.access === 'none' || (a.access === 'shared' && b.access === 'shared');
}

/** What is wrong with the answer of a command that was kept out by the process `pid`. */
export function wrongRefusal(run: ProductRun, pid: number): string[] {
  const { error } = run.document ?? {};
  if (run.exitCode !== 75 || error?.code !== 'LOCK.HELD') return ['it was not refused with 75 LOCK.HELD'];
  const holders = (error.details['holders'] ?? []) as readonly Record<string, unknown>[];
  const holder = holders.find((one) => one['pid'] === pid);
  if (holder === undefined) return ['it does not name the process that works'];
  const missing = ['command', 'since'].filter((key) => typeof holder[key] !== 'string');
  const wrong = missing.map((key) => `it does not say ${key}`);
  if (holder['host'] !== hostname()) wrong.push('it does not say the host');
  if (!error.message.includes(String(pid))) wrong.push('its message does not name the process');
  return wrong;
}
