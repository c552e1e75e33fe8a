import { openHandle, readState } from '@deespec/sqlite-adapter';
import { verifyAudit } from '@deespec/storage';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Place } from '../place.js';
import { withCopy } from '../state.js';
import { sha256, takeSnapshot, type Snapshot } from './tree-snapshot.js';

/** What the three records of the mode say. */
export interface ModeRecords {
  /** `.storage/epoch`. */
  readonly granted: string;
  readonly epoch: number;
  readonly setting: string;
  /** `storage_state`, mode and epoch; absent without a database. */
  readonly stored: string | undefined;
  /** True when a change of mode is noted as begun. */
  readonly isChanging: boolean;
}

/** Everything that a place holds, looked at without the product's use cases but `verifyAudit`. */
export interface TreeState {
  readonly tree: Snapshot;
  /** What the database holds: hash by path; empty when there is none. */
  readonly stored: ReadonlyMap<string, string>;
  /** Paths that one store is known to owe to the other. */
  readonly owed: ReadonlySet<string>;
  /** Hashes of every byte string that is kept anywhere but among the replaced files. */
  readonly stock: ReadonlySet<string>;
  /** Hashes of the files that were replaced and are still looked after. */
  readonly replaced: ReadonlySet<string>;
  readonly conflicts: number;
  readonly modes: ModeRecords;
}

/** Looks at a place that nobody works in. */
export async function lookAtTree(place: Place): Promise<TreeState> {
  const tree = takeSnapshot(place.home);
  const own = join(place.home, '.storage');
  const inside = existsSync(place.database)
    ? await withCopy(place, async (copy) => readDatabase(copy))
    : nothing;
  const kept = filesBelow(own, ['conflicts', 'trash']);
  const hashes = kept.map((file) => sha256(readFileSync(file)));
  const isReplaced = (file: string): boolean => file.includes('/conflicts/replaced/');
  return {
    tree,
    stored: inside.stored,
    owed: new Set([...inside.owed, ...intentsOf(join(own, 'dirty'))]),
    stock: new Set([
      ...[...tree.values()].map((entry) => entry.sha256),
      ...inside.stored.values(),
      ...hashes.filter((_, at) => !isReplaced(kept[at]!)),
    ]),
    replaced: new Set(hashes.filter((_, at) => isReplaced(kept[at]!))),
    conflicts: kept.filter((file) => /\/conflicts\/[^/]+\/about\.json$/u.test(file)).length,
    modes: modesOf(place, inside.state),
  };
}

interface Inside {
  readonly stored: ReadonlyMap<string, string>;
  readonly owed: readonly string[];
  readonly state: string | undefined;
}

const nothing: Inside = { stored: new Map(), owed: [], state: undefined };

function readDatabase(copy: string): Inside {
  const handle = openHandle(copy, 'write');
  try {
    const rows = handle.prepare('SELECT path, sha256 FROM tree_entry').all() as {
      path: Buffer;
      sha256: string;
    }[];
    const owed = handle.prepare('SELECT path FROM outbox').pluck().all() as Buffer[];
    const state = readState(handle);
    return {
      stored: new Map(rows.map((row) => [row.path.toString(), row.sha256 || sha256(Buffer.alloc(0))])),
      owed: owed.map(String),
      state: state === undefined ? undefined : `${state.mode} ${state.epoch}`,
    };
  } finally {
    handle.close();
  }
}

/** Paths in the headers of intents and debts. */
function intentsOf(directory: string): string[] {
  return list(directory)
    .filter((name) => /\.(?:edit|debt)$/u.test(name))
    .flatMap((name) => {
      const [header] = readFileSync(join(directory, name)).toString().split('\n', 1);
      try {
        const { steps } = JSON.parse(header!) as { steps: { path: string; paths?: string[] }[] };
        return steps.flatMap(({ path, paths = [] }) => [path, ...paths]);
      } catch {
        return []; // torn: nothing began
      }
    });
}

function modesOf({ home }: Place, stored: string | undefined): ModeRecords {
  const epoch = readJson(join(home, '.storage/epoch'));
  return {
    granted: epoch.mode ?? 'file',
    epoch: epoch.epoch ?? 0,
    setting: readJson(join(home, 'setting.json')).storage_mode ?? 'file',
    stored,
    isChanging: existsSync(join(home, '.storage/mode-change')),
  };
}

function readJson(file: string): { mode?: string; epoch?: number; storage_mode?: string } {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as object) : {};
}

function filesBelow(own: string, names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const path = join(own, name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory() === true) return filesBelow(path, list(path));
    return stat?.isFile() === true ? [path] : [];
  });
}

function list(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}

/** What the command that recovers in mode `file` writes: carried out twice when it is killed, it has a record each time. */
export const RECOVERED = 'recovered';

function countRecoveries(home: string): number {
  const file = join(home, '.storage/audit.ndjson');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  return lines.filter((line) => line.includes(RECOVERED)).length;
}

/** How many records of the operation the chains of changes have, and what is wrong with them. */
export async function lookAtAudit({
  home,
}: Place): Promise<{ readonly records: string; readonly wrong: string[] }> {
  try {
    const { ok, records, problems } = await verifyAudit({ home });
    const listed = problems.map(({ where, seq, message }) => `audit record ${seq} ${where}: ${message}`);
    return {
      records: `${records.outside - countRecoveries(home)} audit records outside the database, ${records.database} in it`,
      wrong: ok ? [] : listed.slice(0, 3),
    };
  } catch (error) {
    return { records: 'no audit records', wrong: [(error as Error).message] };
  }
}
