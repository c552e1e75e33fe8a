import { schemaScripts } from '@deespec/sqlite-adapter';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { makeTree, mustSucceed } from '../operation.js';
import { copyPlace, makePlace, type Place } from '../place.js';

/** Rows that the tables of entries, contents, executions, settings and journal transactions have at least. */
const ROWS = 1_000;

const ITEM = 'SBI-01M810CC01J2AAPQZVYRK1YMJR';

/** Places that are made once, for every operation of this process to copy. */
const bases = new Map<number, Promise<Place>>();

/** The newest version of the schema. */
export const newest = schemaScripts().length;

/** Fills an empty place with a tree whose database, in mode `file`, has a version of the schema and 1,000 rows and more in its tables. */
export async function fillWithVersion(place: Place, version: number): Promise<void> {
  const known = bases.get(version) ?? makeBase(version);
  bases.set(version, known);
  copyPlace(await known, place.directory);
}

async function makeBase(version: number): Promise<Place> {
  const directory = mkdtempSync(join(tmpdir(), `deespec-schema-${version}-`));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  const place = makePlace(directory);
  if (version < newest) {
    await fillWithVersion(place, newest);
    await mustSucceed(place, ['schema', 'down', '--to', String(version), '--yes', '--home', place.home]);
    rmSync(join(place.home, '.storage/schema-backups'), { recursive: true });
    return place;
  }
  makeTree(place);
  addRows(place.home);
  await mustSucceed(place, ['migrate', '--home', place.home]);
  return place;
}

function addRows(home: string): void {
  const item = join(home, 'specs/sbi', ITEM);
  mkdirSync(item);
  writeFileSync(join(item, 'state.json'), '{"status":"WIP","future":{"big":9007199254740993}}\n');
  const settings: string[] = [];
  for (let number = 1; number <= ROWS; number += 1) {
    writeFileSync(join(item, `implement_${number}.md`), `Turn ${number}.\n\nDECISION: NEEDS_CHANGES\n`);
    const transaction = join(home, 'journal/2026-01-02', `tx-${number}`);
    mkdirSync(transaction, { recursive: true });
    writeFileSync(join(transaction, 'manifest.json'), `{"number":${number}}\n`);
    const said = { txid: `tx-${number}`, status: 'commit', timestamp: '2026-01-02T03:04:06Z' };
    writeFileSync(join(transaction, 'status.commit'), `${JSON.stringify(said)}\n`);
    settings.push(`"key_${number}": ${number}`);
  }
  writeFileSync(join(home, 'setting.json'), `{${settings.join(', ')}}\n`);
}
