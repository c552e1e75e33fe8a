import type { DiskStat, EntryKind, Projection, TreeEntry } from '@deespec/domain';

/** Which store keeps its bytes when both moved: the one that acknowledges writes. */
export type Truth = 'files' | 'sqlite';

/** What makes two entries the same version of a path. */
export type Version = Pick<TreeEntry, 'kind' | 'mode' | 'sha256'>;

/** What stands on disk, with the hash of its content. */
export type DiskEntry = DiskStat & { readonly sha256: string };

/** All that is known of one path. */
export interface Facts {
  /** What the files hold now. */
  readonly file: DiskEntry | undefined;
  /** What the database holds now. */
  readonly entry: TreeEntry | undefined;
  /** What the files held when both were last in step. */
  readonly projection: Projection | undefined;
  /** What both held since, when that is known to be newer than the projection: a write of ours that is not settled yet. */
  readonly base?: Version | 'absent';
  /** True when the database owes the files this path: it was written since both were in step. */
  readonly debt: boolean;
  readonly truth: Truth;
  /** True for a path whose content is a set of lines that programs append to. */
  readonly isJournal: boolean;
}

/** Which version lost, and in which store it stood: to be kept durably before anything else is done. */
export type Loser = 'files' | 'sqlite';

/** What is to be done to one path, and why, in words. */
export type Decision = { readonly reason: string } & (
  | { readonly action: 'nothing' }
  /** Both hold the same: record what the files hold, and their time in the database. */
  | { readonly action: 'note' }
  /** Neither holds anything: drop the projection and the debt. */
  | { readonly action: 'forget' }
  /** Files into the database. */
  | { readonly action: 'import'; readonly keep?: Loser }
  /** Database into the files. */
  | { readonly action: 'write'; readonly keep?: Loser }
  /** Append the lines that the files lack, then import them. */
  | { readonly action: 'merge' }
  | { readonly action: 'remove-entry'; readonly keep?: Loser }
  | { readonly action: 'remove-file'; readonly keep?: Loser }
);

/** True when both are the same version: kind, mode and content. Times and inodes make no version. */
export function isSameVersion(one: Version, other: Version): boolean {
  return one.kind === other.kind && one.mode === other.mode && one.sha256 === other.sha256;
}

/**
 * Decides one path. Pure. One side moved: the other follows, whichever is the truth. Both moved: the truth keeps its bytes
 * and the other version is kept as a conflict. A path that the database lacks and the projection has was deleted in the
 * database; there is no other tombstone. Journals are never replaced while both stores have one: their lines are merged.
 *
 * Carried out, the decision makes the next one of the same path `nothing`.
 *
 * Source: docs/adr/0013.
 */
export function decide(facts: Facts): Decision {
  const { file, entry } = facts;
  if (file === undefined) return entry === undefined ? withoutBoth(facts) : withoutFile(facts, entry);
  if (entry === undefined) return withoutEntry(facts, file);
  if (isSameVersion(file, entry)) return inStep(facts, file, entry);
  if (facts.isJournal && file.kind === 'file' && entry.kind === 'file') return journal(facts, file, entry);
  return different(facts, file, entry);
}

function withoutBoth({ projection, debt }: Facts): Decision {
  if (projection === undefined && !debt) return { action: 'nothing', reason: 'it is in neither' };
  return { action: 'forget', reason: 'it is gone from both' };
}

function withoutFile(facts: Facts, entry: TreeEntry): Decision {
  const base = baseOf(facts);
  if (base === undefined) return { action: 'write', reason: 'new in the database' };
  if (!facts.debt && isSameVersion(entry, base)) {
    return { action: 'remove-entry', reason: 'deleted in the files' };
  }
  if (facts.truth === 'sqlite') {
    return { action: 'write', reason: 'deleted in the files, changed in the database, which counts' };
  }
  const reason = 'changed in the database, deleted in the files, which count';
  return { action: 'remove-entry', reason, ...keeping('sqlite', entry.kind) };
}

function withoutEntry(facts: Facts, file: DiskEntry): Decision {
  const base = baseOf(facts);
  if (base === undefined && !facts.debt) return { action: 'import', reason: 'new in the files' };
  if (base === undefined && facts.truth === 'sqlite') {
    // Removed from the database since, and never known to be in the files: we wrote it just before a crash.
    const reason = 'deleted in the database before the files were known to hold it';
    return { action: 'remove-file', reason, ...keeping('files', file.kind) };
  }
  if (base !== undefined && isSameVersion(file, base))
    return { action: 'remove-file', reason: 'deleted in the database' };
  if (facts.truth === 'files') {
    return { action: 'import', reason: 'deleted in the database, changed in the files, which count' };
  }
  // The file stays even where the database counts: a deletion has no bytes that could be lost instead.
  const reason = 'deleted in the database, changed in the files: the file stays';
  return { action: 'import', reason, ...keeping('files', file.kind) };
}

function inStep(facts: Facts, file: DiskEntry, entry: TreeEntry): Decision {
  const { projection, debt } = facts;
  const isNoted = !debt && projection !== undefined && isSameVersion(file, projection);
  if (isNoted && isSameStat(file, projection) && file.mtimeNs === entry.mtimeNs) {
    return { action: 'nothing', reason: 'in step' };
  }
  return { action: 'note', reason: 'both hold the same' };
}

function journal(facts: Facts, file: DiskEntry, entry: TreeEntry): Decision {
  if (file.sha256 === entry.sha256) return { action: 'import', reason: 'a journal has the mode of the file' };
  const base = baseOf(facts);
  if (base?.kind === 'file' && entry.sha256 === base.sha256) {
    return { action: 'import', reason: 'changed in the files' };
  }
  return { action: 'merge', reason: 'lines were added to the journal in the database' };
}

function different(facts: Facts, file: DiskEntry, entry: TreeEntry): Decision {
  const base = baseOf(facts);
  if (base !== undefined && isSameVersion(file, base)) {
    return { action: 'write', reason: 'changed in the database' };
  }
  if (base !== undefined && isSameVersion(entry, base)) {
    return { action: 'import', reason: 'changed in the files' };
  }
  if (facts.truth === 'files') {
    const reason = 'changed in both: the files count';
    return { action: 'import', reason, ...keeping('sqlite', entry.kind) };
  }
  return {
    action: 'write',
    reason: 'changed in both: the database counts',
    ...keeping('files', file.kind),
  };
}

function baseOf({ base, projection }: Facts): Version | undefined {
  return base === 'absent' ? undefined : (base ?? projection);
}

/** A directory has no bytes to keep. */
function keeping(loser: Loser, kind: EntryKind): { keep?: Loser } {
  return kind === 'directory' ? {} : { keep: loser };
}

/** True when nothing that `lstat` says tells the two apart. */
export function isSameStat(one: DiskStat, other: DiskStat): boolean {
  return (
    one.kind === other.kind &&
    one.mode === other.mode &&
    one.size === other.size &&
    one.mtimeNs === other.mtimeNs &&
    one.ctimeNs === other.ctimeNs &&
    one.ino === other.ino
  );
}
