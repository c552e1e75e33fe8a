import { CHUNK_BYTES, type JournalEvent, type JournalSpool, type SbiId } from '@deespec/domain';
import type { JournalPlace } from '@deespec/layout';

import type { DiskTree } from './disk-tree.js';
import { readError } from './file-error.js';
import { READ_FLAGS } from './file-system.js';
import type { Layout } from './load-layout.js';
import { readAt } from './own-area.js';

/** The journal of a tree as it was read last. */
export interface JournalState extends JournalSpool {
  /** Another one when the journal was read from its beginning again: what was derived from it counts no more. */
  readonly generation: number;
}

const TAIL_BYTES = 65_536;

/**
 * The events of the tree's journal. A journal grows all the time and is seldom anything else: only what was added is parsed,
 * as long as the file is the same one, not shorter, and ends its known part with the same bytes. Otherwise it is read again.
 */
export class JournalCache {
  #known: Known | undefined;
  #generation = 0;

  constructor(private readonly tree: DiskTree) {}

  /** The journal as it is now. @throws StorageError `FILE.READ_FAILED`, `FILE.PERMISSION` */
  now(layout: Layout): JournalState {
    const path = layout.layout.JOURNAL;
    if (this.tree.statOf(path)?.kind !== 'file') return this.#nothing();
    const { root } = this.tree;
    try {
      const handle = root.system.openSync(root.at(path), READ_FLAGS);
      try {
        return this.#readOpen(layout, handle);
      } finally {
        root.system.closeSync(handle);
      }
    } catch (error) {
      throw readError(error, path);
    }
  }

  #nothing(): JournalState {
    if (this.#known !== undefined) this.#generation += 1;
    this.#known = undefined;
    return new Events(this.#generation);
  }

  #readOpen(layout: Layout, handle: number): JournalState {
    const { ino } = this.tree.root.system.fstatSync(handle, { bigint: true });
    const old = this.#known;
    const isOlder = old !== undefined && old.ino === ino && this.#tailOf(handle, old.end).equals(old.tail);
    if (!isOlder) this.#generation += 1;
    const { JOURNAL_START, readJournalTail } = layout.layout;
    const start = isOlder ? old.end : JOURNAL_START;
    const events = isOlder ? old.events : new Events(this.#generation);
    const picksOf = (sbiId: SbiId): number => events.picksOf(sbiId);
    const added = readJournalTail(this.#chunks(handle, start.offset), {
      checks: layout.checks,
      start,
      picksOf,
    });
    for (const event of added.events) events.add(event);
    this.#known = { ino, end: added.end, tail: this.#tailOf(handle, added.end), events };
    // A last line without LF counts as it is now, and is read again when it is ended.
    const last = readAt(this.tree.root, handle, { start: added.end.offset, length: CHUNK_BYTES });
    if (last.length === 0) return events;
    const ended = [last, Buffer.from('\n')];
    const pending = readJournalTail(ended, { checks: layout.checks, start: added.end, picksOf });
    return pending.events.length === 0 ? events : events.with(pending.events);
  }

  #tailOf(handle: number, { offset }: JournalPlace): Buffer {
    const start = Math.max(0, offset - TAIL_BYTES);
    return readAt(this.tree.root, handle, { start, length: offset - start });
  }

  *#chunks(handle: number, offset: number): Generator<Buffer> {
    for (let start = offset; ; start += CHUNK_BYTES) {
      const chunk = readAt(this.tree.root, handle, { start, length: CHUNK_BYTES });
      if (chunk.length > 0) yield chunk;
      if (chunk.length < CHUNK_BYTES) return;
    }
  }
}

interface Known {
  readonly ino: bigint;
  /** Behind the last complete line. */
  readonly end: JournalPlace;
  /** The bytes before it. */
  readonly tail: Buffer;
  readonly events: Events;
}

class Events implements JournalState {
  readonly #events: Map<SbiId, JournalEvent[]>;
  readonly #picks: Map<SbiId, number>;

  constructor(
    readonly generation: number,
    known?: { readonly events: Map<SbiId, JournalEvent[]>; readonly picks: Map<SbiId, number> },
  ) {
    this.#events = known?.events ?? new Map<SbiId, JournalEvent[]>();
    this.#picks = known?.picks ?? new Map<SbiId, number>();
  }

  add(event: JournalEvent): void {
    const known = this.#events.get(event.sbiId);
    if (known === undefined) this.#events.set(event.sbiId, [event]);
    else known.push(event);
    if (event.isPick) this.#picks.set(event.sbiId, this.picksOf(event.sbiId) + 1);
  }

  eventsOf(sbiId: SbiId): readonly JournalEvent[] {
    return this.#events.get(sbiId) ?? [];
  }

  picksOf(sbiId: SbiId): number {
    return this.#picks.get(sbiId) ?? 0;
  }

  /** These events and a few more, without changing these. */
  with(more: readonly JournalEvent[]): JournalState {
    const events = new Map(this.#events);
    for (const event of more) events.set(event.sbiId, [...(events.get(event.sbiId) ?? []), event]);
    return new Events(this.generation, { events, picks: new Map(this.#picks) });
  }
}
