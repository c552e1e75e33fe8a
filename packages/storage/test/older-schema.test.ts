import { openHandle, schemaScripts } from '@deespec/sqlite-adapter';
import { expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { migrate, readStatus, verify } from '../src/index.js';
import { migratedTree } from './support.js';

const adapter = dirname(createRequire(import.meta.url).resolve('@deespec/sqlite-adapter'));

/** Takes the published database of a tree back to an earlier schema, as an earlier version had written it. */
function takeBack(home: string, version: number): void {
  const handle = openHandle(join(home, 'deespec.db'), 'write');
  const scripts = join(adapter, '../migrations');
  const downs = readdirSync(scripts)
    .filter((name) => name.endsWith('.down.sql') && Number(name.slice(0, 3)) > version)
    .sort()
    .reverse();
  handle.transaction(() => {
    for (const name of downs) handle.exec(readFileSync(join(scripts, name), 'utf8'));
    handle.prepare('DELETE FROM schema_version WHERE version > ?').run(version);
    handle.pragma(`user_version = ${version}`);
  })();
  handle.close();
}

test.each([1, 2])(
  'a database of schema version %d is named, and brought up to date by migrate although no file changed',
  async (version) => {
    const home = await migratedTree();
    takeBack(home, version);

    const before = await readStatus({ home });
    const migrated = await migrate({ home });
    const verified = await verify({ home, checkAll: true });

    expect(before.database).toMatchObject({ state: 'refused', code: 'SCHEMA.OLDER' });
    expect(migrated).toMatchObject({ outcome: 'updated' });
    expect(verified).toMatchObject({ ok: true });
    expect((await readStatus({ home })).database).toMatchObject({
      state: 'ours',
      schemaVersion: schemaScripts().length,
    });
  },
);
