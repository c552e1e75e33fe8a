import {
  assertNever,
  baseName,
  isStorageError,
  joinPath,
  type Chunks,
  type StorageError,
  type TreePath,
} from '@deespec/domain';

import { directoryIn, type DiskTree } from './disk-tree.js';
import { beside, directoryOf, TEMPORARY_PREFIX, writeFileDurably } from './durable-write.js';
import { changed, notFound, systemCode, writeError, type WriteStage } from './file-error.js';
import { syncDirectory, timeInSeconds } from './file-system.js';
import type { Before, Step } from './intent.js';
import { appendLines } from './line-file.js';
import { isId, OwnArea, STORAGE } from './own-area.js';
import type { PutStep, ReplacedFiles, StepKey } from './replaced-files.js';

type StepOf<Op extends Step['op']> = Extract<Step, { op: Op }>;

/** What {@link StepMaker} works with. */
export interface StepMakerParts {
  readonly tree: DiskTree;
  readonly area: OwnArea;
  readonly replaced: ReplacedFiles;
}

/**
 * Makes single steps in the tree on disk, each durable when it returns, and takes them back. Every step compares what stands
 * there directly before it changes anything; a step that fails says whether its path is certainly unchanged.
 */
export class StepMaker {
  constructor(private readonly parts: StepMakerParts) {}

  /**
   * @param chunks - the content, where the step has none
   * @throws StorageError `FILE.CHANGED`, `FILE.NOT_FOUND` and those of `writeFileDurably`: its path is unchanged;
   *   `FILE.OUTCOME_UNKNOWN`
   */
  make(step: Step, key: StepKey, chunks?: Chunks): void {
    switch (step.op) {
      case 'put':
        return step.kind === 'directory' ? this.#putDirectory(step) : this.#putContent(step, key, chunks);
      case 'append':
        return this.#append(step);
      case 'remove':
        this.#compare(step.path, step.before);
        return step.before.kind === 'directory'
          ? this.#removeDirectory(step.path)
          : this.#toTrash(step.path, key);
      case 'discard':
        this.#requireDirectory(step.path);
        return this.#toTrash(step.path, key);
      default:
        return assertNever(step);
    }
  }

  /**
   * Takes back a step that was made; what another program put there since stays.
   *
   * @throws StorageError `FILE.OUTCOME_UNKNOWN` and those that say that the path is as the step left it
   */
  undo(step: Step, key: StepKey): void {
    switch (step.op) {
      case 'put':
        return step.kind === 'directory' ? this.#undoDirectory(step) : this.#undoContent(step, key);
      case 'append':
        return; // lines stay: other programs append behind them
      case 'remove':
        return step.before.kind === 'directory' ? this.#makeAgain(step) : this.#fromTrash(step.path, key);
      case 'discard':
        return this.#fromTrash(step.path, key);
      default:
        return assertNever(step);
    }
  }

  /** Removes the temporary file that a crash left beside the path of a put. */
  clean(path: TreePath, key: StepKey): void {
    const { root } = this.parts.tree;
    if (!root.parentStands(path)) return;
    try {
      root.system.unlinkSync(beside(directoryOf(root.at(path)), temporaryName(key)));
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw writeError(error, path, 'before');
    }
  }

  /** Moves a temporary file that lost its note, in a power cut, to the trash. Runs alone among all writers of ours. */
  discardTemporary(path: TreePath): void {
    const key = keyOfTemporary(path);
    if (key !== undefined && this.parts.tree.root.stat(path) !== undefined) this.#toTrash(path, key);
  }

  /** True when a step's removal went as far as the trash. */
  isInTrash(path: TreePath, key: StepKey): boolean {
    return this.parts.tree.root.stat(inTrash(path, key)) !== undefined;
  }

  #putContent(step: PutStep, key: StepKey, chunks: Chunks | undefined): void {
    const { tree, replaced } = this.parts;
    const { path, kind, mode, mtimeNs, before } = step;
    this.#requireParent(path);
    const bytes = step.bytes ?? chunks;
    if (bytes === undefined) throw changed(path, 'the new content is not at hand any more');
    let isKept = false;
    const target = tree.root.at(path);
    const beforeRename = (): void => {
      isKept = true;
      const inode = replaced.keep(key, step);
      this.#compare(path, before);
      // Reading took its time. Two calls are left in which another program's file can come to stand here, and be lost.
      if (inode !== undefined && tree.root.stat(path)?.ino !== inode) throw anotherContent(path);
    };
    const replaces = before === undefined ? 'nothing' : 'anything';
    const temporary = temporaryName(key);
    const symlinkOrFile = kind === 'symlink' ? 'symlink' : 'file';
    try {
      writeFileDurably(
        {
          target,
          name: path,
          kind: symlinkOrFile,
          bytes,
          mode,
          mtimeNs,
          beforeRename,
          replaces,
          temporaryName: temporary,
        },
        tree.root.system,
      );
    } catch (error) {
      if (isKept && !isStorageError(error, 'FILE.OUTCOME_UNKNOWN')) this.#release(key);
      throw error;
    }
  }

  #release(key: StepKey): void {
    try {
      this.parts.replaced.release(key);
    } catch {
      // The put has failed already; what stays is found to be the file that still stands there, and goes.
    }
  }

  #putDirectory(step: PutStep): void {
    const { root } = this.parts.tree;
    const { system } = root;
    const { path, mtimeNs, mode } = step;
    this.#requireParent(path);
    const target = root.at(path);
    const present = this.parts.tree.statOf(path);
    // One that is there although none was expected is what an attempt before a crash made.
    if (present !== undefined && present.kind !== 'directory')
      throw changed(path, `a ${present.kind} stands there`);
    if (present === undefined && step.before !== undefined) throw changed(path, 'nothing stands there');
    this.#write(path, (advance) => {
      if (present === undefined) {
        system.mkdirSync(target, 0o700);
        advance('after');
      }
      if (mtimeNs !== undefined) {
        system.utimesSync(target, timeInSeconds(mtimeNs), timeInSeconds(mtimeNs));
        advance('after');
      }
      // Synced before the mode, which may take away the right to open it.
      syncDirectory(system, target);
      system.chmodSync(target, mode);
      advance('after');
      syncDirectory(system, directoryOf(target));
    });
  }

  #append({ path, bytes }: StepOf<'append'>): void {
    this.#requireParent(path);
    const { tree } = this.parts;
    this.#write(path, (advance) =>
      appendLines(tree.root, {
        place: path,
        lines: bytes,
        mode: 0o644,
        isSynced: true,
        advance,
      }),
    );
  }

  #removeDirectory(path: TreePath): void {
    const { root } = this.parts.tree;
    const target = root.at(path);
    this.#write(path, (advance) => {
      root.system.rmdirSync(target);
      advance('after');
      syncDirectory(root.system, directoryOf(target));
    });
  }

  /** Moves an entry to `.storage/trash/`, durably in both places; it stays there until somebody empties the trash. */
  #toTrash(path: TreePath, key: StepKey): void {
    const { area, tree } = this.parts;
    const place = trashOf(key);
    const target = tree.root.at(path);
    this.#write(path, (advance) => {
      area.ensure(place);
      advance('during');
      tree.root.system.renameSync(target, tree.root.at(inTrash(path, key)));
      advance('after');
      area.sync(place);
      syncDirectory(tree.root.system, directoryOf(target));
    });
  }

  #fromTrash(path: TreePath, key: StepKey): void {
    const { area, tree } = this.parts;
    const { root } = tree;
    const target = root.at(path);
    if (!root.parentStands(path) || root.stat(path) !== undefined || !this.isInTrash(path, key)) return;
    this.#write(path, (advance) => {
      advance('during');
      root.system.renameSync(root.at(inTrash(path, key)), target);
      advance('after');
      syncDirectory(root.system, directoryOf(target));
      area.sync(trashOf(key));
    });
  }

  #undoContent(step: PutStep, key: StepKey): void {
    const found = this.parts.tree.find(step.path);
    if (found === undefined || found.sha256 !== step.sha256 || found.kind !== step.kind) return;
    this.#write(step.path, (advance) => {
      advance('during');
      this.parts.replaced.restore(key, step);
    });
  }

  #undoDirectory({ path, before }: PutStep): void {
    const { tree } = this.parts;
    const { system } = tree.root;
    const target = tree.root.at(path);
    if (tree.statOf(path)?.kind !== 'directory') return;
    if (before !== undefined) return this.#setBack(path, before);
    this.#write(path, (advance) => {
      advance('during');
      try {
        system.rmdirSync(target);
      } catch (error) {
        const code = systemCode(error);
        if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error; // another program's files are in it: it stays
      }
      syncDirectory(system, directoryOf(target));
    });
  }

  #makeAgain({ path, before }: StepOf<'remove'>): void {
    const { tree } = this.parts;
    if (!tree.root.parentStands(path) || tree.root.stat(path) !== undefined) return;
    this.#write(path, (advance) => {
      advance('during');
      tree.root.system.mkdirSync(tree.root.at(path), 0o700);
    });
    this.#setBack(path, before);
  }

  #setBack(path: TreePath, { mode, mtimeNs }: Before): void {
    const { system } = this.parts.tree.root;
    const target = this.parts.tree.root.at(path);
    this.#write(path, (advance) => {
      advance('during');
      system.utimesSync(target, timeInSeconds(mtimeNs), timeInSeconds(mtimeNs));
      syncDirectory(system, target);
      system.chmodSync(target, mode);
      syncDirectory(system, directoryOf(target));
    });
  }

  #write(path: TreePath, work: (advance: (stage: WriteStage) => void) => void): void {
    let stage: WriteStage = 'before';
    try {
      work((next) => (stage = next));
    } catch (error) {
      const code = stage === 'before' ? systemCode(error) : undefined;
      if (code === 'ENOTEMPTY' || code === 'EEXIST') throw changed(path, 'other entries stand there');
      throw writeError(error, path, stage);
    }
  }

  #requireParent(path: TreePath): void {
    const parent = directoryIn(path);
    this.parts.tree.root.forget();
    if (parent !== undefined && this.parts.tree.statOf(parent)?.kind !== 'directory') throw notFound(parent);
  }

  #requireDirectory(path: TreePath): void {
    const kind = this.parts.tree.statOf(path)?.kind;
    if (kind === undefined) throw notFound(path);
    if (kind !== 'directory') throw changed(path, `a ${kind} stands there`);
  }

  /** @throws StorageError `FILE.CHANGED` when what stands at `path` is not what was there before */
  #compare(path: TreePath, before: Before | undefined): void {
    const present = this.parts.tree.find(path);
    if (present?.sha256 === before?.sha256 && present?.kind === before?.kind) return;
    throw present === undefined ? changed(path, 'nothing stands there') : anotherContent(path);
  }
}

function anotherContent(path: TreePath): StorageError {
  return changed(path, 'another content stands there');
}

/** One that no other step and no other edit has; a crash may leave it, and the next edit removes it. */
function temporaryName({ id, number }: StepKey): string {
  return `${TEMPORARY_PREFIX}${id}-${number}`;
}

/** The step whose temporary file this is, by its name; `undefined` when it is none of ours. */
export function keyOfTemporary(path: TreePath): StepKey | undefined {
  const name = baseName(path);
  const [, id = '', number] = /^(.+)-(\d{1,9})$/u.exec(name.slice(TEMPORARY_PREFIX.length)) ?? [];
  const isOurs = name.startsWith(TEMPORARY_PREFIX) && isId(id);
  return isOurs ? { id, number: Number(number) } : undefined;
}

function trashOf({ id, number }: StepKey): string {
  return `${STORAGE}/trash/${id}-${number}`;
}

function inTrash(path: TreePath, key: StepKey): TreePath {
  return joinPath(trashOf(key), baseName(path));
}
