import { SECONDS_OF_DAY } from '../health/limits.js';
import { homePaths, type HomePaths } from '../home.js';
import { requireSpace } from '../preflight.js';
import { syncPath } from '../sync-path.js';
import { isOwn, listBackups, newestVerified, type BackupEntry, type OwnBackup } from './list.js';
import { withBackups } from './lock.js';
import { fileNameOf } from './manifest.js';
import { compress, unpack } from './pack.js';
import { prove } from './verify.js';
import { beginWork, discardWork, publishBackup, removeBackup, replaceManifest } from './work.js';

/** What {@link pruneBackups} takes. */
export interface PruneOptions {
  readonly home: string;
  readonly dryRun?: boolean;
  /** Older ones are removed; default 30. */
  readonly keepDays?: number;
  /** Older ones are compressed; default 7. */
  readonly gzipAfterDays?: number;
  /** So many of the newest are never removed; default 3. */
  readonly keepLast?: number;
  /** The present; default the clock of this machine. */
  readonly now?: Date;
  readonly signal?: AbortSignal;
}

/** What becomes of one backup, or with `dryRun` would. */
export interface PruneAction {
  readonly id: string;
  readonly action: 'keep' | 'compress' | 'remove' | 'refused';
  readonly reason: string;
  /** On the disk, before and after. */
  readonly bytes: number;
  readonly bytesAfter: number;
}

/** What {@link pruneBackups} did. */
export interface PruneReport {
  readonly home: string;
  readonly dryRun: boolean;
  /** Newest first. */
  readonly actions: readonly PruneAction[];
}

/** Source: migration strategy, "Backup Retention"; design of the product, section 10. */
const defaults = { keepDays: 30, gzipAfterDays: 7, keepLast: 3 };

type Limits = typeof defaults & { readonly now: Date };

/**
 * Compresses old backups and removes older ones. The newest verified one stays, whatever the clock says, and is read again before
 * anything is removed; so do the last ones, and whatever has no newer verified one. What is none of this tree's backups is named
 * and left alone.
 *
 * @throws StorageError `LOCK.HELD`, `PREFLIGHT.NO_SPACE`, `FILE.*`, `INTERRUPTED`
 *
 * Source: docs/adr/0019.
 */
export async function pruneBackups(options: PruneOptions): Promise<PruneReport> {
  const paths = homePaths(options.home);
  const { keepDays, gzipAfterDays, keepLast } = { ...defaults, ...options };
  const limits = { keepDays, gzipAfterDays, keepLast, now: options.now ?? new Date() };
  if (options.dryRun === true) {
    const actions = planPrune(paths, limits).map(({ action }) => action);
    return { home: paths.home, dryRun: true, actions };
  }
  const actions = await withBackups(paths, () => prune(paths, limits, options.signal));
  return { home: paths.home, dryRun: false, actions };
}

interface Planned {
  readonly entry: BackupEntry;
  readonly action: PruneAction;
}

function planPrune(paths: HomePaths, limits: Limits): Planned[] {
  const entries = listBackups(paths, limits.now);
  const own = entries.filter(isOwn);
  const proven = newestVerified(paths, limits.now);
  return entries.map((entry) => {
    const { id, bytes } = entry;
    const [action, reason] = isOwn(entry)
      ? judge(entry, { own, proven, limits })
      : (['refused', entry.problem!] as const);
    return { entry, action: { id, action, reason, bytes, bytesAfter: action === 'remove' ? 0 : bytes } };
  });
}

interface Ground {
  /** Newest first. */
  readonly own: readonly OwnBackup[];
  readonly proven: OwnBackup | undefined;
  readonly limits: Limits;
}

function judge(
  entry: OwnBackup,
  { own, proven, limits }: Ground,
): readonly ['keep' | 'compress' | 'remove', string] {
  const days = entry.ageSeconds! / SECONDS_OF_DAY;
  const isOld = days > limits.keepDays;
  const kept = !isOld
    ? `not older than ${limits.keepDays} days`
    : entry.path === proven?.path
      ? 'the newest that is verified'
      : own.indexOf(entry) < limits.keepLast
        ? `one of the last ${limits.keepLast}`
        : proven === undefined || proven.manifest.seq < entry.manifest.seq
          ? 'no newer one is verified'
          : undefined;
  if (kept === undefined) return ['remove', `older than ${limits.keepDays} days`];
  const isPlain = entry.manifest.compressed === undefined && entry.state === 'verified';
  return isPlain && days > limits.gzipAfterDays
    ? ['compress', `older than ${limits.gzipAfterDays} days`]
    : ['keep', kept];
}

async function prune(
  paths: HomePaths,
  limits: Limits,
  signal: AbortSignal | undefined,
): Promise<PruneAction[]> {
  let planned = planPrune(paths, limits);
  // What is to replace others is not believed without being read.
  while (planned.some(({ action }) => action.action === 'remove')) {
    const { state } = await prove(paths, newestVerified(paths, limits.now)!, signal);
    planned = planPrune(paths, limits);
    if (state === 'verified') break;
  }
  const actions: PruneAction[] = [];
  for (const { entry, action } of planned) {
    signal?.throwIfAborted();
    if (action.action === 'remove') removeBackup(paths, fileNameOf(entry.manifest!));
    actions.push(
      action.action === 'compress'
        ? await compressBackup(paths, entry as OwnBackup, { action, signal })
        : action,
    );
  }
  return actions;
}

/** The compressed file is read back and compared before it takes the place of the other. */
async function compressBackup(
  paths: HomePaths,
  { path, manifest }: OwnBackup,
  { action, signal }: { readonly action: PruneAction; readonly signal: AbortSignal | undefined },
): Promise<PruneAction> {
  requireSpace(paths, manifest.size);
  const place = beginWork(paths, `compress-${manifest.id}`);
  try {
    const packed = await compress(path, place.data, signal);
    const { content } = await unpack(place.data, { most: manifest.size, signal });
    if (content.sha256 !== manifest.sha256) {
      const problem = 'its bytes are not those that were backed up';
      const { verifiedAt: _at, ...rest } = manifest;
      replaceManifest(paths, { ...rest, problem });
      return { ...action, action: 'keep', reason: problem };
    }
    syncPath(place.data);
    syncPath(place.directory);
    publishBackup(paths, place, {
      manifest: { ...manifest, compressed: packed },
      remove: fileNameOf(manifest),
    });
    return { ...action, bytesAfter: packed.size };
  } finally {
    discardWork(place);
  }
}
