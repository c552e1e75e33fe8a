import { CHUNK_BYTES, type Json, type JournalEvent, type JournalSpool, type SbiId } from '@deespec/domain';
import type { JournalPlace } from '@deespec/layout';
import { createHash, type Hash } from 'node:crypto';

import type { DiskTree } from './disk-tree.js';
import { readError } from './file-error.js';
import { READ_FLAGS } from './file-system.js';
import type { Layout } from './load-layout.js';
import { readAt } from './own-area.js';

/** The journal of a tree as it was read last. */
export interface JournalState extends JournalSpool {
  /** The events of an SBI as text: another one when one of them is. */
  textOf(sbiId: SbiId): string;
}

const TAIL_BYTES = 65_536;

/**
 * The events of the tree's journal. A journal grows all the time and is seldom anything else: only what was added is parsed, as long
 * as the file begins with the bytes that are known. Of a file that grew in place its last bytes are compared, of another one that took
 * its name, as each edit through the API does, the hash of all of them. Otherwise it is read again.
 */
export class JournalCache {
  #known: Known | undefined;

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
    this.#known = undefined;
    return new Events();
  }

  #readOpen(layout: Layout, handle: number): JournalState {
    const { ino } = this.tree.root.system.fstatSync(handle, { bigint: true });
    const { JOURNAL_START, readJournalTail } = layout.layout;
    const old = this.#goesOn(handle, ino) ? this.#known : undefined;
    this.#known = undefined; // what fails on the way is read again
    const {
      end: start,
      events,
      hash,
    } = old ?? {
      end: JOURNAL_START,
      events: new Events(),
      hash: createHash('sha256'),
    };
    const reading = {
      checks: layout.checks,
      picksOf: (sbiId: SbiId): number => events.picksOf(sbiId),
    };
    const take = (event: JournalEvent): void => events.add(event);
    const { end } = readJournalTail(this.#chunks(handle, start.offset), { ...reading, start, take });
    this.#hashOn(hash, handle, { start: start.offset, end: end.offset });
    this.#known = { ino, end, tail: this.#tailOf(handle, end.offset), events, hash };
    // A last line without LF counts as it is now, and is read again when it is ended.
    const last = readAt(this.tree.root, handle, { start: end.offset, length: CHUNK_BYTES });
    if (last.length === 0) return events;
    const pending: JournalEvent[] = [];
    readJournalTail([last, Buffer.from('\n')], {
      ...reading,
      start: end,
      take: (event) => void pending.push(event),
    });
    return pending.length === 0 ? events : events.with(pending);
  }

  /** Whether the open file begins with what is known. */
  #goesOn(handle: number, ino: bigint): boolean {
    const known = this.#known;
    if (known === undefined || !this.#tailOf(handle, known.end.offset).equals(known.tail)) return false;
    if (known.ino === ino) return true;
    const hash = createHash('sha256');
    this.#hashOn(hash, handle, { start: 0, end: known.end.offset });
    return hash.digest().equals(known.hash.copy().digest());
  }

  #hashOn(hash: Hash, handle: number, { start, end }: { start: number; end: number }): void {
    for (let at = start; at < end; at += CHUNK_BYTES) {
      hash.update(readAt(this.tree.root, handle, { start: at, length: Math.min(CHUNK_BYTES, end - at) }));
    }
  }

  #tailOf(handle: number, offset: number): Buffer {
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
  /** The bytes before it, at most {@link TAIL_BYTES}. */
  readonly tail: Buffer;
  /** SHA-256 of all bytes before it. */
  readonly hash: Hash;
  readonly events: Events;
}

/** What is held of an event, in this order. */
const columns = [
  'run',
  'line',
  'offset',
  'ts',
  'turn',
  'step',
  'isPick',
  'decision',
  'artifact',
  'status',
  'attempt',
  'elapsedMs',
  'error',
  'taskId',
] as const satisfies readonly (keyof JournalEvent)[];

/** Events by SBI, each as a JSON array: a quarter of what they take as objects. */
class Events implements JournalState {
  constructor(
    private readonly texts = new Map<SbiId, string>(),
    private readonly picks = new Map<SbiId, number>(),
  ) {}

  add(event: JournalEvent): void {
    const { sbiId } = event;
    const text = JSON.stringify(columns.map((column) => event[column]));
    const known = this.texts.get(sbiId);
    this.texts.set(sbiId, known === undefined ? text : `${known},${text}`);
    if (event.isPick) this.picks.set(sbiId, this.picksOf(sbiId) + 1);
  }

  eventsOf(sbiId: SbiId): readonly JournalEvent[] {
    const events = JSON.parse(`[${this.textOf(sbiId)}]`) as readonly (readonly Json[])[];
    return events.map((values) => {
      const said = columns.map((column, at) => [column, values[at]]).filter(([, value]) => value !== null);
      return { sbiId, ...Object.fromEntries(said) } as JournalEvent;
    });
  }

  textOf(sbiId: SbiId): string {
    return this.texts.get(sbiId) ?? '';
  }

  picksOf(sbiId: SbiId): number {
    return this.picks.get(sbiId) ?? 0;
  }

  /** These events and a few more, without changing these. */
  with(more: readonly JournalEvent[]): JournalState {
    const events = new Events(new Map(this.texts), new Map(this.picks));
    for (const event of more) events.add(event);
    return events;
  }
}
