import { pathFromText, putIf } from '@deespec/domain';
import { openSqliteStorage } from '@deespec/sqlite-adapter';
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { mustSucceed } from '../operation.js';
import type { Place } from '../place.js';

const EDITED = 'knowledge/page.bin';

/** Another program changed a file. */
export function editFile({ home }: Place): void {
  appendFileSync(join(home, EDITED), 'and more of somebody else');
}

/** Another program made a file in a directory that is new too. */
export function addFile({ home }: Place): void {
  mkdirSync(join(home, 'knowledge/new/deep'), { recursive: true });
  writeFileSync(join(home, 'knowledge/new/deep/note.md'), '# New\n');
}

/** Another program removed a file and a directory. */
export function deleteFile({ home }: Place): void {
  rmSync(join(home, 'knowledge/pages.bin'));
  rmdirSync(join(home, 'knowledge/empty'));
}

const JOURNAL = 'var/journal.ndjson';

/** Both stores have lines in the journal that the other lacks. */
export async function addLines(place: Place): Promise<void> {
  const path = pathFromText(JOURNAL);
  const line = (text: string) => Buffer.from(`{"note":"${text}"}\n`);
  appendFileSync(join(place.home, JOURNAL), line('of the files'));
  await inDatabase(place, (store) =>
    store.edit(() => ({
      edits: ['of the database', 'and one more'].map((text) => ({ op: 'append', path, line: line(text) })),
    })),
  );
}

/** Both stores changed one file. */
export async function editBoth(place: Place): Promise<void> {
  await editStored(place);
  editFile(place);
}

/** A change in the database that the files do not have yet: a file changed, one new in a new directory, one gone. */
export async function oweFiles(place: Place): Promise<void> {
  await editStored(place);
  const gone = pathFromText('knowledge/pages.bin');
  await inDatabase(place, (store) =>
    store.edit((tree) => ({
      edits: [
        { op: 'put', version: version('knowledge/made', 'directory', ''), expected: undefined },
        {
          op: 'put',
          version: version('knowledge/made/of.md', 'file', '# Of the database\n'),
          expected: undefined,
        },
        { op: 'remove', path: gone, expected: tree.find(gone)!.sha256 },
      ],
    })),
  );
}

function version(path: string, kind: 'file' | 'directory', text: string) {
  const mode = kind === 'file' ? 0o644 : 0o755;
  return {
    path: pathFromText(path),
    kind,
    mode,
    mtimeNs: 1_700_000_000_000_000_000n,
    bytes: Buffer.from(text),
  };
}

/** A change of the files that the database does not have yet: an item that was made while the database was away. */
export async function oweDatabase(place: Place): Promise<void> {
  const away = `${place.database}.away`;
  renameSync(place.database, away);
  try {
    await mustSucceed(place, ['sbi', 'create', '--title', 'Owed', '--id', OWED, '--home', place.home]);
  } finally {
    renameSync(away, place.database);
  }
}

const OWED = 'SBI-01M810CC01J2AAPQZVYRK1OWED';

/** An edit of the files whose process died in the middle: of an item that is to be made, one file is there. */
export async function halfEdit(place: Place): Promise<void> {
  const own = join(place.home, '.storage');
  await oweDatabase(place);
  const dirty = join(own, 'dirty');
  const [debt] = readdirSync(dirty).filter((name) => name.endsWith('.debt'));
  renameSync(join(dirty, debt!), join(dirty, debt!.replace('.debt', '.edit')));
  rmSync(join(place.home, 'specs/sbi', OWED, 'state.json'));
  const audit = join(own, 'audit.ndjson');
  writeFileSync(
    audit,
    readFileSync(audit, 'utf8')
      .split('\n')
      .slice(0, -2)
      .map((line) => `${line}\n`)
      .join(''),
  );
}

type Store = Awaited<ReturnType<typeof openSqliteStorage>>['store'];

async function editStored(place: Place): Promise<void> {
  await inDatabase(place, async (store) => {
    const path = pathFromText(EDITED);
    const { mode, mtimeNs, sha256 } = store.find(path)!;
    const bytes = Buffer.from('what the database has\n');
    await putIf(store, { path, kind: 'file', mode, mtimeNs, bytes }, sha256);
  });
}

/** In mode `dual_write` the database owes nothing: there such a change is one that nobody should have made. */
async function inDatabase(place: Place, work: (store: Store) => Promise<unknown>): Promise<void> {
  const database = await openSqliteStorage({ path: place.database, owes: !isFileTruth(place) });
  try {
    await work(database.store);
  } finally {
    await database.close();
  }
}

/** True in mode `dual_write`. */
export function isFileTruth({ home }: Place): boolean {
  return readFileSync(join(home, '.storage/epoch'), 'utf8').includes('"dual_write"');
}
