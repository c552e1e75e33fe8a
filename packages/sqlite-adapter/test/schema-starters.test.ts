import { afterAll, expect, test } from '@jest/globals';
import BetterSqlite3 from 'better-sqlite3';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { requireSchema, schemaScripts } from '../src/index.js';
import { directory, removeDirectories } from './support.js';

afterAll(removeDirectories);

const STARTERS = 8;

/** Opens the file that it is told of when everybody is ready, and brings it to the newest version. */
const starter = `
  import { applyUp } from '@deespec/migration-engine';
  import { schemaScripts, SqliteSchemaStore } from './dist/index.js';
  import Database from 'better-sqlite3';
  process.stdout.write('ready\\n');
  process.stdin.once('data', (path) => {
    const handle = new Database(String(path).trim(), { timeout: 30000 });
    const { applied } = applyUp(new SqliteSchemaStore(handle, () => new Date()), schemaScripts());
    handle.close();
    process.stdout.write(JSON.stringify(applied));
    process.exit(0);
  });
`;

async function start(): Promise<(path: string) => Promise<number[]>> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', starter], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return async (path) => {
    let answer = '';
    child.stdout.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    child.stdin.write(`${path}\n`);
    await once(child, 'close');
    return JSON.parse(answer) as number[];
  };
}

test('many processes that open a new database at once apply each script once', async () => {
  const path = join(directory(), 'deespec.db');
  const starters = await Promise.all(Array.from({ length: STARTERS }, start));

  const applied = await Promise.all(starters.map((open) => open(path)));

  const versions = schemaScripts().map(({ version }) => version);
  expect(applied.flat().toSorted((a, b) => a - b)).toEqual(versions);
  const handle = new BetterSqlite3(path);
  expect(requireSchema(handle)).toBe(versions.length);
  expect(handle.prepare('SELECT version FROM schema_version ORDER BY version').pluck().all()).toEqual(
    versions,
  );
  handle.close();
}, 60_000);
