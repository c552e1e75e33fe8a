import type { TreePath } from '@deespec/domain';
import { lookOver, type Passed } from '@deespec/dual-adapter';

import type { SyncStores } from './sync.js';
import type { DirectoryWatch } from './watch-directories.js';

/** Longest time that one part takes, milliseconds. */
const PART_MS = 200;

/** Shortest time between two rounds, milliseconds: nobody promises that every change is heard of. */
const REST_MS = 30_000;

/** The same where the system watches no more directories. */
const POLL_MS = 1_000;

/** A round rests so many times as long as it worked, so that a large tree does not keep a core busy. */
const REST_FACTOR = 20;

/** What one part of a round came by. */
export interface PatrolPart {
  /** Not as it was recorded. */
  readonly changed: readonly TreePath[];
  /** What the whole round found gone, at its end: a part of it would not show that it is too much. Directories at once. */
  readonly settled: readonly TreePath[];
}

/** Looks over the whole tree again and again, a part at a time: what is heard of does not wait for it. */
export class Patrol {
  private rows: Generator<Passed> | undefined;
  private gone: TreePath[] = [];
  private isDemanded = false;
  private isPolling = false;
  private isRoom = true;
  private workedMs = 0;
  private endedAtMs = performance.now();

  constructor(private readonly watch: DirectoryWatch) {}

  /** Begins the next round at once. */
  demand(): void {
    this.isDemanded = true;
  }

  /** Goes on with the round, or begins one when it is time. @throws StorageError those of `TreeReader.scan` */
  goOn(stores: SyncStores): PatrolPart {
    if (this.rows === undefined && !this.isTime()) return { changed: [], settled: [] };
    this.rows ??= this.begin(stores);
    const startedMs = performance.now();
    const changed: TreePath[] = [];
    const settled: TreePath[] = [];
    try {
      for (;;) {
        const next = this.rows.next();
        if (next.done === true) return { changed, settled: [...settled, ...this.end()] };
        this.sort(next.value, { changed, settled });
        if (performance.now() - startedMs > PART_MS) return { changed, settled };
      }
    } catch (error) {
      // A round that was cut off says nothing of what is gone.
      this.close();
      throw error;
    } finally {
      this.workedMs += performance.now() - startedMs;
    }
  }

  /** Leaves the round that is at work. */
  close(): void {
    this.rows?.return(undefined);
    this.rows = undefined;
    this.gone = [];
  }

  private isTime(): boolean {
    const restMs = this.isPolling ? POLL_MS : Math.max(REST_MS, REST_FACTOR * this.workedMs);
    return this.isDemanded || performance.now() - this.endedAtMs > restMs;
  }

  private begin(stores: SyncStores): Generator<Passed> {
    this.isDemanded = false;
    this.workedMs = 0;
    this.isRoom = this.watch.add('');
    return lookOver(stores);
  }

  private sort(
    { path, isClean, kind }: Passed,
    { changed, settled }: { readonly changed: TreePath[]; readonly settled: TreePath[] },
  ): void {
    if (kind === 'directory') this.isRoom = this.watch.add(path) && this.isRoom;
    if (isClean) return;
    if (kind === undefined) this.gone.push(path);
    else if (kind === 'directory') settled.push(path);
    else changed.push(path);
  }

  private end(): TreePath[] {
    const { gone } = this;
    this.close();
    this.isPolling = !this.isRoom;
    this.endedAtMs = performance.now();
    return gone;
  }
}
