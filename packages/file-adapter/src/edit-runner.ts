import { isStorageError, StorageError, type Chunks, type FileDebt } from '@deespec/domain';

import type { AuditFile } from './audit-file.js';
import { readError, writeError } from './file-error.js';
import { releaseLeftGoLocks, withGoLocks } from './hold-go-locks.js';
import { decodeIntent, encodeIntent, pathsOf, type Intent } from './intent.js';
import { freshId, isId, OwnArea, sinceOfId, STORAGE } from './own-area.js';
import { appendsLast, progressOf, type StepState } from './progress.js';
import { parseRecord, textOfPath } from './record-json.js';
import type { StepMaker } from './step-maker.js';
import type { DiskTree } from './disk-tree.js';

/** What an {@link EditRunner} works with. */
export interface EditRunnerParts {
  readonly tree: DiskTree;
  readonly area: OwnArea;
  readonly audit: AuditFile;
  readonly steps: StepMaker;
  /** True when a database follows: what an edit changed is a debt until it is cleared. */
  readonly owes: boolean;
}

/** The file that this product and the Go tool both write; the Go tool's locks are for it. Source: docs/adr/0013. */
const GO_STATE = 'var/state.json';
const PLACE = `${STORAGE}/dirty`;
const MOST_INTENT_BYTES = 1_073_741_824;
const MOST_NOTE_BYTES = 65_536;

/**
 * Carries edits out: all of one or none, whatever fails. `<id>.edit` in `.storage/dirty/` says what is to be done and is
 * durable before the tree changes; a later process finds it when this one dies, and finishes or undoes it. `<id>.debt` is the
 * same file once the edit is done, where a database has to follow.
 *
 * Runs alone among all writers of this product: an `.edit` that it finds belongs to nobody any more. Source: docs/adr/0013.
 */
export class EditRunner {
  constructor(private readonly parts: EditRunnerParts) {}

  /** A name for the next edit, which sorts behind those of all edits that are known. */
  nextId(): string {
    return freshId(this.#ids('edit').concat(this.#ids('debt')).sort().at(-1));
  }

  /** @throws StorageError that says that nothing is changed, such as `GO_TOOL.RUNNING`, or `FILE.OUTCOME_UNKNOWN` */
  run(intent: Intent, chunks?: Chunks): void {
    if (!intent.steps.some(({ path }) => path === GO_STATE)) return this.#run(intent, chunks);
    withGoLocks(this.parts.area.root, () => this.#run(intent, chunks));
  }

  #run(intent: Intent, chunks?: Chunks): void {
    const [first] = intent.steps;
    const isAtomic = intent.steps.length === 1 && (first?.op === 'put' || first?.op === 'remove');
    const isRecorded = this.parts.owes || intent.audit.length > 0 || !isAtomic;
    if (!isRecorded) return this.#runAlone(intent, chunks);
    this.#record(intent);
    this.#forward(intent, chunks);
    if (intent.audit.length > 0)
      this.#surely(() => this.parts.audit.append(intent.audit, { isSynced: true }));
    this.#close(intent);
  }

  /**
   * One rename needs no intent. What is noted, and need not be durable, is where its temporary file is.
   */
  #runAlone({ id, steps }: Intent, chunks: Chunks | undefined): void {
    const { area, steps: maker } = this.parts;
    const step = steps[0]!;
    if (step.op !== 'put' || step.kind === 'directory') return maker.make(step, { id, number: 0 }, chunks);
    const place = placeOf(id, 'put');
    this.#unsure(() => {
      area.ensure(PLACE);
      area.write(place, [Buffer.from(JSON.stringify({ path: textOfPath(step.path) }))], 'unsynced');
    });
    try {
      maker.make(step, { id, number: 0 }, chunks);
    } finally {
      try {
        area.unlink(place);
      } catch {
        // Says nothing of the file that was put; the next edit finds it, and removes it.
      }
    }
  }

  /** Finishes or undoes what dead processes left. @throws StorageError as {@link run} */
  recover(): void {
    releaseLeftGoLocks(this.parts.area.root);
    for (const id of this.#ids('put')) this.#cleanPut(id);
    for (const id of this.#ids('edit')) {
      const intent = this.#read(id, 'edit');
      if (intent === undefined || !this.#isInside(intent)) this.#drop(id);
      else this.#recoverOne(intent);
    }
  }

  /** Since when an edit is on its way, or a dead process left one half done; `undefined` when there is none. UTC, fixed width. */
  unfinishedSince(): string | undefined {
    const [oldest] = this.#ids('edit').sort();
    return oldest === undefined ? undefined : sinceOfId(oldest);
  }

  /** True while the edit is not over: what it keeps may be needed to undo it. */
  isLive(id: string): boolean {
    return this.#ids('edit').includes(id);
  }

  /** Names of what the files owe to the database, oldest first. */
  debts(): readonly string[] {
    return this.#ids('debt').sort();
  }

  /** What is owed; a record that is damaged says that something is owed, not what. */
  debt(id: string): FileDebt | undefined {
    if (!isId(id)) return undefined;
    const intent = this.#read(id, 'debt');
    if (intent !== undefined) return { id, paths: pathsOf(intent), audit: intent.audit, since: intent.since };
    return this.debts().includes(id) ? { id, paths: 'unknown', audit: [], since: sinceOfId(id) } : undefined;
  }

  clearDebt(id: string): void {
    // Not synced: a debt that comes back costs one look more.
    if (isId(id)) this.#unsure(() => this.parts.area.unlink(`${PLACE}/${id}.debt`));
  }

  #record(intent: Intent): void {
    const { area } = this.parts;
    const place = placeOf(intent.id, 'edit');
    const file = encodeIntent(intent);
    this.#unsure(() => area.ensure(PLACE));
    try {
      area.write(place, file);
      area.sync(PLACE);
    } catch (error) {
      this.#undoRecord(intent, writeError(error, place, 'before'));
    }
  }

  /** Nothing of the tree is changed; it stays so when the intent is certainly away. */
  #undoRecord({ id }: Intent, error: unknown): never {
    try {
      this.#drop(id);
    } catch (second) {
      throw unknownOutcome(
        id,
        new AggregateError([error, second], 'an edit that failed is still to be undone'),
      );
    }
    throw error;
  }

  #forward(intent: Intent, chunks: Chunks | undefined): void {
    const made: number[] = [];
    for (const number of appendsLast(intent.steps)) {
      try {
        this.parts.steps.make(intent.steps[number]!, { id: intent.id, number }, chunks);
      } catch (error) {
        if (isStorageError(error, 'FILE.OUTCOME_UNKNOWN')) throw error;
        return this.#giveUp(intent, made, error);
      }
      made.push(number);
    }
  }

  /** A step cannot be made, and its path is unchanged: takes back those before it. Lines that were appended stay, and so must all. */
  #giveUp(intent: Intent, made: readonly number[], error: unknown): never {
    if (made.some((number) => intent.steps[number]!.op === 'append')) throw unknownOutcome(intent.id, error);
    try {
      this.#undo(intent, made);
    } catch (second) {
      throw unknownOutcome(
        intent.id,
        new AggregateError([error, second], 'an edit that failed is still to be undone'),
      );
    }
    this.#undoRecord(intent, error);
  }

  #undo(intent: Intent, made: readonly number[]): void {
    for (const number of [...made].reverse()) {
      this.parts.steps.undo(intent.steps[number]!, { id: intent.id, number });
    }
  }

  /** Removes what a single put left: its note, and its temporary file. */
  #cleanPut(id: string): void {
    const { area, steps } = this.parts;
    this.#unsure(() => {
      const note = area.read(placeOf(id, 'put'), MOST_NOTE_BYTES)?.toString('utf8');
      const path = note === undefined ? undefined : parseRecord(note, (fields) => fields.path('path'));
      if (path !== undefined) steps.clean(path, { id, number: 0 });
      area.unlink(placeOf(id, 'put'));
    });
  }

  #recoverOne(intent: Intent): void {
    const { audit, steps, tree } = this.parts;
    const { id } = intent;
    tree.root.forget();
    const last = intent.audit.at(-1)?.seq;
    if (last !== undefined && last <= (audit.head()?.seq ?? 0)) return this.#close(intent);
    intent.steps.forEach((step, number) => steps.clean(step.path, { id, number }));
    const states = progressOf(intent, this.parts);
    const hasLines = intent.steps.some((step, number) => step.op === 'append' && states[number] === 'done');
    if (!hasLines && !this.#redo(intent, states)) return this.#drop(id);
    if (hasLines) this.#finish(intent, states);
    if (intent.audit.length > 0) audit.append(intent.audit, { isSynced: true });
    this.#close(intent);
  }

  /** Makes the steps that are left, or takes back those that were made. @returns whether all are made */
  #redo(intent: Intent, states: readonly StepState[]): boolean {
    const made = states.flatMap((state, number) => (state === 'done' || state === 'begun' ? [number] : []));
    if (states.includes('moved')) {
      this.#undo(intent, made);
      return false;
    }
    for (const number of appendsLast(intent.steps)) {
      if (states[number] === 'done') continue;
      try {
        this.parts.steps.make(intent.steps[number]!, { id: intent.id, number });
      } catch (error) {
        const hasLines = made.some((other) => intent.steps[other]!.op === 'append');
        if (hasLines || isStorageError(error, 'FILE.OUTCOME_UNKNOWN') || !isStorageError(error)) throw error;
        this.#undo(
          intent,
          made.sort((a, b) => a - b),
        );
        return false;
      }
      made.push(number);
    }
    return true;
  }

  /** Lines stand that cannot be taken back: makes what can still be made, and leaves what other programs put there since. */
  #finish(intent: Intent, states: readonly StepState[]): void {
    for (const number of appendsLast(intent.steps)) {
      if (states[number] === 'done' || states[number] === 'moved') continue;
      try {
        this.parts.steps.make(intent.steps[number]!, { id: intent.id, number });
      } catch (error) {
        if (!isStorageError(error, 'FILE.CHANGED') && !isStorageError(error, 'FILE.NOT_FOUND')) throw error;
      }
    }
  }

  /** The edit is durable: it is a debt from now on, or over. */
  #close({ id }: Intent): void {
    const { area, owes } = this.parts;
    this.#surely(() => {
      if (owes)
        area.root.system.renameSync(area.root.at(placeOf(id, 'edit')), area.root.at(placeOf(id, 'debt')));
      else area.unlink(placeOf(id, 'edit'));
      // An edit that came back after a power failure would be taken for one that was not finished.
      area.sync(PLACE);
    });
  }

  #drop(id: string): void {
    this.#unsure(() => {
      this.parts.area.unlink(placeOf(id, 'edit'));
      this.parts.area.sync(PLACE);
    });
  }

  /** The tree is changed: whatever fails now leaves the edit to be finished. */
  #surely(work: () => void): void {
    try {
      work();
    } catch (error) {
      throw isStorageError(error, 'FILE.OUTCOME_UNKNOWN') ? error : unknownOutcome('', error);
    }
  }

  #unsure(work: () => void): void {
    try {
      work();
    } catch (error) {
      throw writeError(error, PLACE, 'before');
    }
  }

  /** True when a step names nothing that scans ignore: a tree comes from anywhere, and its intents with it. */
  #isInside({ steps }: Intent): boolean {
    try {
      for (const step of steps)
        this.parts.tree.refuseIgnored(step.path, step.op === 'put' ? step.kind : 'file');
      return true;
    } catch (error) {
      if (isStorageError(error, 'TREE.PATH_UNSAFE')) return false;
      throw error;
    }
  }

  #ids(ending: Ending): string[] {
    try {
      return this.parts.area
        .names(PLACE)
        .filter((name) => name.endsWith(`.${ending}`))
        .map((name) => name.slice(0, -ending.length - 1))
        .filter(isId);
    } catch (error) {
      throw readError(error, PLACE);
    }
  }

  #read(id: string, ending: 'edit' | 'debt'): Intent | undefined {
    try {
      const file = this.parts.area.read(placeOf(id, ending), MOST_INTENT_BYTES);
      const intent = file === undefined ? undefined : decodeIntent(file);
      return intent?.id === id ? intent : undefined;
    } catch (error) {
      throw readError(error, placeOf(id, ending));
    }
  }
}

/** `put` notes a single put, which needs no intent. */
type Ending = 'edit' | 'debt' | 'put';

function placeOf(id: string, ending: Ending): string {
  return `${PLACE}/${id}.${ending}`;
}

function unknownOutcome(id: string, cause: unknown): StorageError {
  return new StorageError('FILE.OUTCOME_UNKNOWN', 'the change is not finished: it may be there or not', {
    hint: 'free space or check the disk, then read again: the next change, or "deespec sync", finishes it or takes it back',
    details: { edit: id },
    cause,
  });
}
