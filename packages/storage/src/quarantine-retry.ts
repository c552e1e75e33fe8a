import { displayPath, StorageError, type QuarantinedEntry, type TreePath } from '@deespec/domain';
import { StoredTree } from '@deespec/sqlite-adapter';

import { runMigration } from './migrate.js';
import type { MigrateRun } from './migrate-run.js';
import { getQuarantined } from './quarantine.js';
import type { RetriedEntry, RetryCounts, RetryOptions, RetryReport } from './reports.js';

/** Entries that are listed without having been asked for; all of them are counted. */
const LISTED = 1_000;

/** Rows of quarantine that are in memory at once, of either side. */
const PAGE_ROWS = 1_000;

/**
 * Interprets what is in quarantine again, from what the files hold now: one `migrate` with `quarantine`, and what it changed
 * for each entry. It brings the whole tree into step, as every migration does; `paths` only says what the caller asks about.
 *
 * @throws StorageError `QUARANTINE.NOT_FOUND` when a named path is not in quarantine; nothing is done then.
 *   `DATABASE.NOT_FOUND` without a database; those of `migrate` but `TREE.INVALID`
 */
export async function retryQuarantine({ paths, ...options }: RetryOptions): Promise<RetryReport> {
  const changes = new Changes(paths);
  const migration = await runMigration(
    { ...options, quarantine: true },
    {
      command: 'quarantine retry',
      onBegin: (run) => requireQuarantined(run, paths ?? []),
      onBuilt: (run) => compareQuarantine(run, changes),
    },
  );
  return { migration, ...changes.report() };
}

function requireQuarantined(run: MigrateRun, paths: readonly TreePath[]): void {
  if (run.published === undefined) {
    throw new StorageError('DATABASE.NOT_FOUND', `${run.paths.home} has no database yet`, {
      hint: 'run "deespec migrate --quarantine" first',
    });
  }
  if (paths.length === 0) return;
  const stored = StoredTree.openReader(run.paths.database);
  try {
    for (const path of paths) getQuarantined(stored, path);
  } finally {
    stored.close();
  }
}

/** Compares the quarantine of the published and of the new database. */
function compareQuarantine(run: MigrateRun, changes: Changes): void {
  const published = StoredTree.openReader(run.paths.database);
  try {
    const built = StoredTree.openReader(run.directory.database);
    try {
      for (const pair of pairs(listAll(published), listAll(built))) changes.add(changeOf(pair, built));
    } finally {
      built.close();
    }
  } finally {
    published.close();
  }
}

/** The entry of one path in quarantine before, after, or both. */
interface Pair {
  readonly path: TreePath;
  readonly before: QuarantinedEntry | undefined;
  readonly after: QuarantinedEntry | undefined;
}

/** Walks two lists that are ordered by path side by side. */
function* pairs(olds: Iterator<QuarantinedEntry>, news: Iterator<QuarantinedEntry>): Generator<Pair> {
  const next = (list: Iterator<QuarantinedEntry>): QuarantinedEntry | undefined => {
    const { done, value } = list.next() as IteratorResult<QuarantinedEntry, undefined>;
    return done === true ? undefined : value;
  };
  let [before, after] = [next(olds), next(news)];
  for (let path = least(before, after); path !== undefined; path = least(before, after)) {
    const [isBefore, isAfter] = [before?.path === path, after?.path === path];
    yield { path, before: isBefore ? before : undefined, after: isAfter ? after : undefined };
    if (isBefore) before = next(olds);
    if (isAfter) after = next(news);
  }
}

function least(one: QuarantinedEntry | undefined, other: QuarantinedEntry | undefined): TreePath | undefined {
  if (one === undefined || other === undefined) return (one ?? other)?.path;
  return one.path < other.path ? one.path : other.path;
}

function* listAll(stored: StoredTree): Generator<QuarantinedEntry> {
  let after: TreePath | undefined;
  for (;;) {
    const page = stored.listQuarantined({ limit: PAGE_ROWS, ...(after === undefined ? {} : { after }) });
    yield* page;
    if (page.length < PAGE_ROWS) return;
    after = page.at(-1)!.path;
  }
}

/** What became of one path. */
interface Change extends Pick<RetriedEntry, 'outcome' | 'reason'> {
  readonly path: TreePath;
}

function changeOf({ path, before, after }: Pair, built: StoredTree): Change {
  if (after === undefined) return { path, outcome: built.lookup(path) === undefined ? 'gone' : 'released' };
  const outcome = before === undefined ? 'newly-quarantined' : 'still-quarantined';
  return { path, outcome, reason: after.reason };
}

/** Counts what became of every entry, and lists what the caller asks about. */
class Changes {
  private readonly named: ReadonlySet<TreePath>;
  private readonly entries: RetriedEntry[] = [];
  private readonly counts: { -readonly [K in keyof RetryCounts]: number } = {
    released: 0,
    'still-quarantined': 0,
    'newly-quarantined': 0,
    gone: 0,
  };
  private others = 0;
  private left = 0;

  constructor(named: readonly TreePath[] = []) {
    this.named = new Set(named);
  }

  add({ path, ...change }: Change): void {
    const { outcome, reason } = change;
    const isNamed = this.named.has(path);
    const isAsked = isNamed || this.named.size === 0;
    this.counts[outcome] += 1;
    if (isAsked && reason !== undefined) this.left += 1;
    // Nobody could have asked about what is newly in quarantine: it is told in any case.
    if (!isAsked && outcome !== 'newly-quarantined') return;
    if (!isNamed) this.others += 1;
    if (isNamed || this.others <= LISTED) this.entries.push({ path: displayPath(path), ...change });
  }

  report(): Pick<RetryReport, 'entries' | 'counts' | 'left'> {
    return { entries: this.entries, counts: this.counts, left: this.left };
  }
}
