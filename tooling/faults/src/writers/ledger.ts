import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';

/** What a worker asks for. `title`, `config`: keys that are its own; `hot`, `count`, `total`: numbers that all of them raise. */
export type Op =
  'create' | 'title' | 'append' | 'config' | 'hot' | 'count' | 'total' | 'claim' | 'renew' | 'release';

/** A call, before it is made. Not synced: it has to outlive the process, not the machine. */
export interface Begun {
  readonly at: 'start';
  /** Counted from 1, over all lives of the worker. */
  readonly call: number;
  readonly op: Op;
  /** What it changes: an id, an execution or a setting. */
  readonly key: string;
  /** What stands there after it. */
  readonly value: string;
  /** Wall clock, milliseconds. */
  readonly atMs: number;
}

/** How it ended; synced before the worker goes on. */
export interface Ended {
  readonly at: 'end';
  readonly call: number;
  /** `ok`, or the code of the error. */
  readonly outcome: string;
  readonly tookMs: number;
  /** Wall clock, milliseconds. */
  readonly atMs: number;
  /** Rows that the audit log must have for it: see `auditKey`. */
  readonly audit?: readonly string[];
  /** Of a claim: what was claimed until when. */
  readonly claimed?: { readonly id: string; readonly until: string };
  /** The message of an error. */
  readonly message?: string;
}

/** A call with its end, which is missing when the worker was killed in it. */
export interface Call extends Begun {
  readonly worker: string;
  readonly end?: Ended;
}

/** Writes the ledger of one worker, which stands outside the tree: what is acknowledged there must be in the tree for good. */
export class Ledger {
  private readonly handle: number;

  constructor(file: string) {
    this.handle = openSync(file, 'a');
  }

  begin(begun: Begun): void {
    this.write(begun);
  }

  /** Durable when it returns. */
  end(ended: Ended): void {
    this.write(ended);
    fsyncSync(this.handle);
  }

  close(): void {
    closeSync(this.handle);
  }

  private write(line: Begun | Ended): void {
    writeSync(this.handle, `${JSON.stringify(line)}\n`);
  }
}

/** Every call of a worker, in the order in which they began. A line that a living worker is just writing is not there yet. */
export function readLedger(file: string, worker: string): Call[] {
  if (!existsSync(file)) return [];
  const calls = new Map<number, Call>();
  for (const text of readFileSync(file, 'utf8').split('\n').slice(0, -1)) {
    const line = JSON.parse(text) as Begun | Ended;
    if (line.at === 'start') calls.set(line.call, { ...line, worker });
    else calls.set(line.call, { ...calls.get(line.call)!, end: line });
  }
  return [...calls.values()];
}

/** True for a call that was acknowledged. */
export function isAcknowledged({ end }: Call): boolean {
  return end?.outcome === 'ok';
}

/** True for a call that may have been made or not: its worker was killed in it, or was told so. */
export function isUnknown({ end }: Call): boolean {
  return end === undefined || end.outcome === 'FILE.OUTCOME_UNKNOWN';
}

/** What names a row of the audit log: one change by one worker. */
export function auditKey(row: {
  readonly user?: string;
  readonly entityId: string;
  readonly action: string;
  readonly newValue?: string;
}): string {
  return [row.user, row.entityId, row.action, row.newValue].join(' ');
}
