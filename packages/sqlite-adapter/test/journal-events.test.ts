import { pathFromText, putIf, type SbiId } from '@deespec/domain';
import { afterAll, describe, expect, test } from '@jest/globals';

import { checkIndex, openHandle } from '../src/index.js';
import type { SqliteTreeStore } from '../src/sqlite-tree-store.js';
import { freshStorage, removeDirectories } from './support.js';

afterAll(removeDirectories);

const id = 'SBI-01M810CC01J2AAPQZVYRK1YMJR' as SbiId;
const other = 'SBI-00000000000000000000000000' as SbiId;
const journal = pathFromText('var/journal.ndjson');

/** A line as this program writes it, without its line feed. */
function ours(sbi: SbiId, turn: number): string {
  const artifacts = [`.deespec/specs/sbi/${sbi}/implement_${turn}.md`];
  const rest = { id: '01M8ABCDEFGHJKMNPQRSTVWXYZ', step: 'implement', ts: '2026-01-02T00:00:01Z', turn };
  return JSON.stringify({ artifacts, ...rest });
}

/** A line as the workflow tool writes it, likewise. */
function theirs(sbi: SbiId, turn: number): string {
  return ours(sbi, turn).replace(/"id":"[^"]*",/u, '');
}

async function append(store: SqliteTreeStore, line: string): Promise<void> {
  await store.edit(() => ({ edits: [{ op: 'append', path: journal, line: Buffer.from(line) }] }));
}

/** A database whose journal has a line of three events of two SBIs, parsed. */
async function withJoinedLine(work: (path: string) => Promise<void>): Promise<void> {
  const { storage, path, close } = await freshStorage();
  const { store } = storage;
  const directory = {
    path: pathFromText('var'),
    kind: 'directory',
    mode: 0o755,
    bytes: Buffer.alloc(0),
  } as const;
  await putIf(store, directory, undefined);
  await append(store, `${theirs(id, 2)}\n`);
  await append(store, `${theirs(id, 3)}${ours(other, 4)}${ours(id, 5)}\n`);
  await append(store, `${theirs(other, 6)}\n`);
  await work(path);
  await close();
}

async function foundAfter(path: string, sql: string): Promise<string[]> {
  const handle = openHandle(path, 'write');
  handle.exec(sql);
  const found = await checkIndex(handle);
  handle.close();
  return found.map(({ where }) => where);
}

describe('A line that two programs wrote at once', () => {
  test('is parsed as the check parses it', () =>
    withJoinedLine(async (path) => {
      expect(await foundAfter(path, '')).toEqual([]);
    }));

  test.each([
    ['lost', `event = json_remove(event, '$[1]')`],
    ['another one', `event = json_set(event, '$[1].turn', 9)`],
    ['moved to another SBI', `sbi_id = 'x'`],
  ])('is a difference when an event of it is %s', (_, change) =>
    withJoinedLine(async (path) => {
      const sql = `UPDATE journal_event SET ${change} WHERE json_type(event) = 'array'`;

      expect(await foundAfter(path, sql)).toContain('journal_event');
    }),
  );

  test('is damaged when it holds what is no event', () =>
    withJoinedLine(async (path) => {
      const sql = `UPDATE journal_event SET event = '[1]' WHERE json_type(event) = 'array'`;

      await expect(foundAfter(path, sql)).rejects.toMatchObject({ code: 'DATABASE.CORRUPT' });
    }));
});
