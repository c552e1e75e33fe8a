import type { StorageMode } from '@deespec/domain';
import { cpSync } from 'node:fs';

import { setMode, type HealthCheck, type HealthReport } from '../src/index.js';
import { migratedTree, newHome } from './support.js';

const templates = new Map<StorageMode, Promise<string>>();

/** A copy of a migrated tree in `mode`; each mode is made once. The copies are removed with the directories of the file. */
export async function treeIn(mode: StorageMode): Promise<string> {
  const made = templates.get(mode) ?? makeTree(mode);
  templates.set(mode, made);
  const home = newHome();
  cpSync(await made, home, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  return home;
}

async function makeTree(mode: StorageMode): Promise<string> {
  const home = await migratedTree();
  if (mode !== 'file') await setMode({ home, mode });
  return home;
}

/** The check of this name; fails when it was not made. */
export function checkOf({ checks }: HealthReport, name: string): HealthCheck {
  const found = checks.find((check) => check.name === name);
  if (found === undefined) throw new Error(`no check ${name}: ${JSON.stringify(checks)}`);
  return found;
}

/** Names of the checks that found something, with their status. */
export function foundBy({ checks }: HealthReport): Record<string, string> {
  return Object.fromEntries(
    checks.filter(({ status }) => status !== 'ok').map(({ name, status }) => [name, status]),
  );
}
