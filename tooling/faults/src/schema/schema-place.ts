import { schemaScripts } from '@deespec/sqlite-adapter';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { makeTree, mustSucceed } from '../operation.js';
import { copyPlace, makePlace, type Place } from '../place.js';

/** What makes 1,000 rows and more: each file is also a file in every copy of the place, a setting is not. */
const STEPS = 150;
const TRANSACTIONS = 50;
const SETTINGS = 500;

const ITEM = 'SBI-01M810CC01J2AAPQZVYRK1YMJR';

/** Places that are made once, for every operation of this process to copy. */
const bases = new Map<number, Promise<Place>>();

/** The newest version of the schema. */
export const newest = schemaScripts().length;

/** Fills an empty place with a tree whose database, in mode `file`, has a version of the schema and 1,000 rows and more. */
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
    rmSync(join(place.home, '.storage/copies'), { recursive: true });
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
  for (const number of numbers(STEPS))
    writeFileSync(join(item, `implement_${number}.md`), `Turn ${number}.\n\nDECISION: NEEDS_CHANGES\n`);
  for (const number of numbers(TRANSACTIONS)) {
    const transaction = join(home, 'journal/2026-01-02', `tx-${number}`);
    mkdirSync(transaction, { recursive: true });
    writeFileSync(join(transaction, 'manifest.json'), `{"number":${number}}\n`);
    const said = { txid: `tx-${number}`, status: 'commit', timestamp: '2026-01-02T03:04:06Z' };
    writeFileSync(join(transaction, 'status.commit'), `${JSON.stringify(said)}\n`);
  }
  const settings = numbers(SETTINGS).map((number) => `"key_${number}": ${number}`);
  writeFileSync(join(home, 'setting.json'), `{${settings.join(', ')}}\n`);
}

function numbers(most: number): number[] {
  return Array.from({ length: most }, (_, i) => i + 1);
}
