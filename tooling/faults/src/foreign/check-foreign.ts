import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { GO_STATE, versionOf, type ForeignWrite } from './go-files.js';

/** Every write of the foreign program, in order. */
export function readForeign(ledger: string): ForeignWrite[] {
  const lines = readFileSync(ledger, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as ForeignWrite);
}

/** What became of the last bytes that the foreign program wrote at each path. */
export interface ForeignEnds {
  /** They stand there. */
  present: number;
  /** Others wrote there later, on what they had read. */
  built: number;
  /** They are kept as a conflict. */
  kept: number;
  readonly wrong: string[];
}

/** Looks for the last bytes of every path in the tree and in what is kept. */
export function foreignEnds(home: string, writes: readonly ForeignWrite[]): ForeignEnds {
  // A change of ours keeps the lines of `meta.yml` that it does not change: its note tells what it was made of.
  const notes = new Map(writes.map(({ path }, i) => [path, `note: foreign ${i}\n`]));
  const last = new Map(writes.filter(({ kind }) => kind === 'file').map((write) => [write.path, write]));
  const kept = keptHashes(home);
  const ends: ForeignEnds = { present: 0, built: 0, kept: 0, wrong: [] };
  for (const write of last.values()) {
    const { path, value } = write;
    const file = join(home, path);
    const now = existsSync(file) ? readFileSync(file) : undefined;
    if (now !== undefined && hashOf(now) === value) ends.present += 1;
    else if (kept.has(value)) ends.kept += 1;
    else if (now !== undefined && isBuiltOn(write, now, notes.get(path))) ends.built += 1;
    else
      ends.wrong.push(
        `the last foreign bytes of ${path} are lost: ${now === undefined ? 'nothing' : `${now.length} others`}`,
      );
  }
  return ends;
}

/** True when what stands at a path now was made of its last foreign bytes. */
function isBuiltOn({ path, version = 0 }: ForeignWrite, now: Buffer, note: string | undefined): boolean {
  return path === GO_STATE ? versionOf(now) > version : note !== undefined && now.includes(note);
}

/** Hashes of what stands in the list of conflicts, by their bytes. */
function keptHashes(home: string): ReadonlySet<string> {
  const place = join(home, '.storage/conflicts');
  const names = existsSync(place) ? readdirSync(place) : [];
  const files = names.filter((name) => existsSync(join(place, name, 'about.json')));
  return new Set(files.map((name) => hashOf(readFileSync(join(place, name, 'content')))));
}

/**
 * Lines of the foreign program that are not in its journal exactly once, as lines, in order. A line of ours may stand behind its
 * object, when it came between its two writes: both are read then.
 */
export function wrongLines(home: string, writes: readonly ForeignWrite[]): string[] {
  const wanted = writes.filter(({ kind }) => kind === 'line').map(({ value }) => value);
  const known = new Set(wanted);
  const journal = readFileSync(join(home, 'var/journal.ndjson'), 'utf8');
  const lines = journal.replaceAll(/\}(?=\{"artifacts":\[.*"id":)/gu, '}\n').split('\n');
  const found = lines.filter((line) => known.has(line));
  if (found.join('\n') === wanted.join('\n')) return [];
  const missing = wanted.filter((line) => !found.includes(line));
  const twice = found.filter((line, i) => found.indexOf(line) !== i);
  const first = (missing[0] ?? twice[0] ?? '').slice(0, 200);
  return [
    `the journal lacks ${missing.length} foreign lines, has ${twice.length} twice, or another order: ${first}`,
  ];
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
