import {
  CHUNK_BYTES,
  MOST_EVENTS,
  type Json,
  type JournalEvent,
  type JournalSpool,
  type SbiId,
} from '@deespec/domain';
import type { JournalPlace } from '@deespec/layout';
import { createHash, type Hash } from 'node:crypto';

import type { DiskTree } from './disk-tree.js';
import { readError } from './file-error.js';
import { READ_FLAGS } from './file-system.js';
import type { Layout } from './load-layout.js';
import { readAt } from './own-area.js';

/** The journal of a tree as it was read last. */
export interface JournalState extends JournalSpool {
  /** What `eventsOf` and `countOf` say of an SBI as text: another one when one of them says something else. */
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

/** So many events stand in one text. */
const TEXT_EVENTS = 1_000;

/** As many full texts have all events that are asked for. */
const MOST_TEXTS = MOST_EVENTS / TEXT_EVENTS;

/** What is held of one SBI. */
interface Held {
  /** Events in full texts, the last of them; those before are not asked for. */
  readonly full: readonly string[];
  /** Those after them. */
  readonly text: string;
  readonly count: number;
  readonly picks: number;
}

const NOTHING: Held = { full: [], text: '', count: 0, picks: 0 };

/** Events by SBI, each as a JSON array: a quarter of what they take as objects. */
class Events implements JournalState {
  constructor(private readonly bySbi = new Map<SbiId, Held>()) {}

  add(event: JournalEvent): void {
    const { full, text, count, picks } = this.#of(event.sbiId);
    const line = JSON.stringify(columns.map((column) => event[column]));
    const counts = { count: count + 1, picks: picks + Number(event.isPick) };
    const texts =
      count > 0 && count % TEXT_EVENTS === 0
        ? { full: [...full, text].slice(-MOST_TEXTS), text: line }
        : { full, text: text === '' ? line : `${text},${line}` };
    this.bySbi.set(event.sbiId, { ...texts, ...counts });
  }

  eventsOf(sbiId: SbiId): readonly JournalEvent[] {
    const { full, text } = this.#of(sbiId);
    const events: JournalEvent[] = [];
    for (const some of [...full, text]) {
      for (const values of JSON.parse(`[${some}]`) as readonly (readonly Json[])[])
        events.push(toEvent(sbiId, values));
    }
    return events.slice(-MOST_EVENTS);
  }

  textOf(sbiId: SbiId): string {
    const { full, text, count } = this.#of(sbiId);
    return full.length === 0 ? text : `${count},${full.join()},${text}`;
  }

  countOf(sbiId: SbiId): number {
    return this.#of(sbiId).count;
  }

  picksOf(sbiId: SbiId): number {
    return this.#of(sbiId).picks;
  }

  /** These events and a few more, without changing these. */
  with(more: readonly JournalEvent[]): JournalState {
    const events = new Events(new Map(this.bySbi));
    for (const event of more) events.add(event);
    return events;
  }

  #of(sbiId: SbiId): Held {
    return this.bySbi.get(sbiId) ?? NOTHING;
  }
}

function toEvent(sbiId: SbiId, values: readonly Json[]): JournalEvent {
  const event: Record<string, Json> = { sbiId };
  for (const [at, column] of columns.entries()) if (values[at] !== null) event[column] = values[at]!;
  return event as unknown as JournalEvent;
}
