import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository these checks guard. */
export const repository = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');

/** Writes a small workspace (path -> text) into a temporary directory, hands it to `work`, and removes it. */
export async function withWorkspace<T>(
  files: Readonly<Record<string, string>>,
  work: (root: string) => T | Promise<T>,
): Promise<T> {
  const root = mkdtempSync(join(tmpdir(), 'deespec-layers-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return await work(root);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** A package.json with what every package carries and `fields`. */
export function manifest(name: string, fields: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    name: `@deespec/${name}`,
    license: 'MIT',
    engines: { node: '>=20' },
    exports: { '.': './dist/index.js' },
    files: ['dist'],
    ...fields,
  });
}

/**
 * True when the built file is there. Without it a check says so and passes, for a clone in which nothing is built yet;
 * with `CI` set, where everything is built first, it fails.
 */
export function isBuilt(path: string): boolean {
  if (existsSync(join(repository, path))) return true;
  if (process.env['CI']) throw new Error(`${path} is missing: build first`);
  console.warn(`not checked: ${path} is missing; run "npm run setup"`);
  return false;
}

/** True when the sqlite3 shell is there; without it a check says so and passes. */
export function hasSqliteShell(): boolean {
  if (spawnSync('sqlite3', ['--version']).status === 0) return true;
  console.warn('not checked: there is no sqlite3 shell on this machine');
  return false;
}
