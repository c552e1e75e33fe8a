import type { Conflict, TreePath } from '@deespec/domain';
import { timeFromDate } from '@deespec/domain';
import { createHash } from 'node:crypto';

import type { ConflictStore } from './conflict-store.js';
import type { DiskTree } from './disk-tree.js';
import { directoryOf, withoutHardLinks } from './durable-write.js';
import { changed, systemCode } from './file-error.js';
import { syncDirectory, timeInSeconds } from './file-system.js';
import type { Before, Step } from './intent.js';
import { OwnArea, STORAGE, timeOfId } from './own-area.js';
import { readEntry } from './read-entry.js';
import { parseRecord, SHA256, textOfPath, type RecordFields } from './record-json.js';
import { kindOf } from './tree-root.js';

/** A step that puts a file or symlink. */
export type PutStep = Extract<Step, { op: 'put' }>;

/** Which step of which edit. */
export interface StepKey {
  readonly id: string;
  /** Counted from 0. */
  readonly number: number;
}

const PLACE = `${STORAGE}/conflicts/replaced`;
const MOST_ABOUT_BYTES = 65_536;

/** What was to stand at a path before a put and after it. */
interface About {
  readonly path: TreePath;
  readonly before?: string;
  readonly wanted: string;
}

/**
 * Keeps the file that a put replaces: as a hard link, because a program that takes no lock may write into it up to the moment
 * of the rename, and after. What it wrote becomes a conflict; a file that is the same as it was goes.
 *
 * `<id>-<number>.old` is what a step of an edit replaced, `<id>-<number>.undone` what it had put when it was taken back, and
 * `<id>-<number>.json` says what both were to be, `<id>-<number>.projection` does so of a version of another store. Source: docs/adr/0013.
 */
export class ReplacedFiles {
  constructor(
    private readonly tree: DiskTree,
    private readonly area: OwnArea,
  ) {}

  /**
   * Keeps what stands at the path of a put, durably. Of a projection it is noted what was put, also of a new file.
   *
   * @returns the inode that has a second name now; `undefined` when nothing is kept, or a copy
   */
  keep(key: StepKey, step: PutStep): bigint | undefined {
    // A new file whose note a power cut took would be taken for one that somebody else made.
    if (step.before === undefined && step.isProjection !== true) return undefined;
    this.#announce(key, step);
    const place = placeOf(key, 'old');
    const isLink = step.before !== undefined && this.#link(step.path, place, step.before);
    this.area.sync(PLACE);
    return isLink ? this.tree.root.stat(place)?.ino : undefined;
  }

  /** Forgets what was kept for a put that was not made. */
  release(key: StepKey): void {
    this.area.unlink(placeOf(key, 'old'));
    this.area.unlink(placeOf(key, 'json'));
    this.area.unlink(placeOf(key, 'projection'));
  }

  /** Puts back what a put replaced, when it was kept. The caller has compared. */
  restore(key: StepKey, step: PutStep): void {
    const { root } = this.tree;
    const { path, before } = step;
    if (before === undefined) {
      this.#announce(key, step);
      root.system.renameSync(root.at(path), root.at(placeOf(key, 'undone')));
    } else {
      if (root.stat(placeOf(key, 'old')) === undefined) return;
      this.#link(path, placeOf(key, 'undone'), before);
      root.system.renameSync(root.at(placeOf(key, 'old')), root.at(path));
    }
    syncDirectory(root.system, directoryOf(root.at(path)));
    this.area.sync(PLACE);
  }

  /** As `ProjectedFiles.hasProjected`. */
  hasProjected(path: TreePath, sha256: string, sinceMs: number): boolean {
    // What was put last is asked for most.
    const names = this.area.names(PLACE).reverse();
    return names.some((name) => {
      const madeMs = name.endsWith('.projection') ? timeOfId(idOf(name)) : undefined;
      if (madeMs === undefined || madeMs < sinceMs) return false;
      const about = this.#about(name);
      return about?.path === path && about.wanted === sha256;
    });
  }

  /**
   * Looks at everything that was kept and has not changed for a while: the same as it was, and it goes; another content becomes
   * a conflict. What was put for another store stays known for longer.
   *
   * @returns the conflicts that came to light
   */
  settle(conflicts: ConflictStore, options: SettlingOptions): readonly Conflict[] {
    const { olderThanMs, knownMs, isLive } = options;
    const found: Conflict[] = [];
    for (const [key, names] of this.#byStep()) {
      const name = names.find((one) => one === `${key}.json` || one === `${key}.projection`);
      const madeMs = timeOfId(idOf(key));
      if (madeMs === undefined || name === undefined || isLive(idOf(key))) continue;
      const isKnown = name.endsWith('.projection') && Date.now() - madeMs < knownMs;
      const links = names.filter((link) => link !== name);
      // Most of them, and not even read: they only say what was put.
      if ((links.length === 0 && isKnown) || !this.#isIdle(name, olderThanMs)) continue;
      const about = this.#about(name);
      // What was kept stays where it is when nobody can say what it was to be.
      const rest = links.filter(
        (link) => about === undefined || !this.#settleOne(link, { about, conflicts, found, ...options }),
      );
      if (rest.length === 0 && !isKnown) this.area.unlink(`${PLACE}/${name}`);
    }
    return found;
  }

  /** Names of what is kept, by the step that it is of. */
  #byStep(): ReadonlyMap<string, readonly string[]> {
    const found = new Map<string, string[]>();
    for (const name of this.area.names(PLACE)) {
      const key = name.slice(0, name.indexOf('.'));
      const same = found.get(key);
      if (same === undefined) found.set(key, [name]);
      else same.push(name);
    }
    return found;
  }

  /** @returns whether nothing is kept there any more */
  #settleOne(name: string, { about, conflicts, found, olderThanMs }: SettleOptions): boolean {
    const { root } = this.tree;
    const place = `${PLACE}/${name}` as TreePath;
    const stat = root.stat(place);
    if (stat === undefined) return true;
    if (!this.#isIdle(name, olderThanMs)) return false;
    const kind = kindOf(stat);
    if (kind !== 'file' && kind !== 'symlink') return false;
    const known = name.includes('.old') ? about.before : about.wanted;
    const sha256 = hashOf(readEntry(root, place));
    const isStill = root.stat(about.path)?.ino === stat.ino; // it was not replaced after all
    if (sha256 !== known && !isStill) {
      const conflict = {
        path: about.path,
        store: 'files' as const,
        at: timeFromDate(new Date()),
        kind,
        mode: Number(stat.mode) & 0o7777,
        mtimeNs: stat.mtimeNs,
        size: Number(stat.size),
        sha256,
        keptSha256: about.wanted,
        reason: 'another program wrote into the file while it was replaced',
      };
      const id = conflicts.keep(conflict, readEntry(root, place));
      found.push({ ...conflict, id });
    }
    this.area.unlink(place);
    return true;
  }

  /** True when nobody has changed it for a while. */
  #isIdle(name: string, olderThanMs: number): boolean {
    const stat = this.tree.root.stat(`${PLACE}/${name}`);
    return stat === undefined || Date.now() - Number(stat.ctimeNs / 1_000_000n) >= olderThanMs;
  }

  #announce(key: StepKey, { path, before, sha256, isProjection }: PutStep): void {
    const about = { path: textOfPath(path), before: before?.sha256, wanted: sha256 };
    this.area.ensure(PLACE);
    const place = placeOf(key, isProjection === true ? 'projection' : 'json');
    this.area.unlink(place);
    this.area.write(place, [Buffer.from(`${JSON.stringify(about)}\n`)]);
  }

  #about(name: string): About | undefined {
    const bytes = this.area.read(`${PLACE}/${name}`, MOST_ABOUT_BYTES);
    return bytes === undefined ? undefined : parseRecord(bytes.toString('utf8'), readAbout);
  }

  /**
   * A second name of what stands at a path; a copy where there are no hard links, and of a symlink, which nobody writes into.
   *
   * @returns whether it is a second name
   */
  #link(path: TreePath, place: string, before: Before): boolean {
    const { root } = this.tree;
    const { system } = root;
    const known = root.stat(place);
    if (known !== undefined) {
      // Of an attempt before a crash.
      if (known.ino === root.stat(path)?.ino) return true;
      system.renameSync(root.at(place), root.at(`${place}.${Date.now()}`));
    }
    if (before.kind === 'symlink') {
      const time = timeInSeconds(before.mtimeNs);
      system.symlinkSync(system.readlinkSync(root.at(path), { encoding: 'buffer' }), root.at(place));
      system.lutimesSync(root.at(place), time, time);
      return false;
    }
    try {
      system.linkSync(root.at(path), root.at(place));
      return true;
    } catch (error) {
      const code = systemCode(error);
      // What somebody renames over at this moment cannot get a second name either.
      if (code === 'ENOENT') throw changed(path, 'it was just replaced');
      if (code === undefined || !withoutHardLinks.has(code)) throw error;
      this.#copy(path, place, before);
      return false;
    }
  }

  #copy(path: TreePath, place: string, before: Before): void {
    const { root } = this.tree;
    this.area.write(place, readEntry(root, path));
    root.system.chmodSync(root.at(place), before.mode);
    const time = timeInSeconds(before.mtimeNs);
    root.system.utimesSync(root.at(place), time, time);
  }
}

/** What is left alone for now. */
export interface SettlingOptions {
  /** What somebody changed in so many milliseconds. */
  readonly olderThanMs: number;
  /** What was put for another store, in so many milliseconds. */
  readonly knownMs: number;
  /** Edits that are not over. */
  readonly isLive: (id: string) => boolean;
}

interface SettleOptions {
  readonly about: About;
  readonly conflicts: ConflictStore;
  readonly found: Conflict[];
  readonly olderThanMs: number;
}

/** The edit that a name here is of. */
function idOf(name: string): string {
  return name.slice(0, name.lastIndexOf('-'));
}

function placeOf({ id, number }: StepKey, what: 'old' | 'undone' | 'json' | 'projection'): string {
  return `${PLACE}/${id}-${number}.${what}`;
}

function readAbout(fields: RecordFields): About {
  return {
    path: fields.path('path'),
    ...(fields.has('before') ? { before: fields.matching('before', SHA256) } : {}),
    wanted: fields.matching('wanted', SHA256),
  };
}

function hashOf(chunks: Iterable<Buffer>): string {
  const hash = createHash('sha256');
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}
