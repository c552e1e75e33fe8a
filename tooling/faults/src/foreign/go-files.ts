import {
  appendFileSync,
  chmodSync,
  closeSync,
  constants,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';

const { O_APPEND, O_CREAT, O_EXCL, O_RDWR, O_TRUNC, O_WRONLY } = constants;

/** One write of the foreign program that is done: what stands at a path since then, or a line that it appended. */
export interface ForeignWrite {
  readonly path: string;
  readonly kind: 'file' | 'line';
  /** SHA-256 (hex) of the file; of a line: the line. */
  readonly value: string;
  /** Wall clock, milliseconds. */
  readonly atMs: number;
  /** Of `var/state.json`: what it counts, with each write. */
  readonly version?: number;
}

/** The file in which the tool keeps what it works on. */
export const GO_STATE = 'var/state.json';

/** What a state counts. */
export function versionOf(state: Buffer): number {
  return Number((JSON.parse(state.toString()) as { readonly version?: number }).version ?? 0);
}

/**
 * Writes to a tree with the system calls of the Go tool, in their order. Every path is below `home`.
 *
 * Source: the trace of version 0.1.14. It locks `metrics.json` with flock(2), which Node does not have: left out.
 */
export class GoFiles {
  private names = 100_000_000;
  writes = 0;

  constructor(
    private readonly home: string,
    private readonly ledger: string,
  ) {}

  /** `register`, `notes`: temporary file, fsync, rename; the directory is not synced. */
  replace(path: string, bytes: Buffer): void {
    const target = this.at(path);
    mkdirSync(dirname(target), { recursive: true });
    const temporary = join(dirname(target), `.tmp-${(this.names += 7)}`);
    this.write(temporary, O_RDWR | O_CREAT | O_EXCL, bytes);
    renameSync(temporary, target);
    this.note(path, bytes);
  }

  /** `state.json`: as `replace`, with another name and mode, and the directory synced. */
  replaceState(bytes: Buffer): void {
    const path = 'var/state.json';
    const temporary = this.at(`var/.tmp.${(this.names += 7)}`);
    this.write(temporary, O_RDWR | O_CREAT | O_EXCL, bytes);
    chmodSync(temporary, 0o644);
    renameSync(temporary, this.at(path));
    syncDirectory(this.at('var'));
    this.note(path, bytes);
  }

  /** The end of a turn: `state.json` is staged in a transaction directory, which is removed again. */
  commitState(bytes: Buffer): void {
    const name = `var/txn/txn_${Math.floor(Date.now() / 1_000)}_${(this.names += 7)}`;
    for (const part of ['stage/var', 'undo']) mkdirSync(this.at(`${name}/${part}`), { recursive: true });
    this.write(
      this.at(`${name}/manifest.json`),
      O_RDWR | O_CREAT | O_EXCL,
      Buffer.from('{\n  "files": []\n}'),
    );
    const staged = this.at(`${name}/stage/var/state.json`);
    this.write(staged, O_RDWR | O_CREAT | O_TRUNC, bytes);
    this.write(
      this.at(`${name}/status.intent`),
      O_RDWR | O_CREAT | O_EXCL,
      Buffer.from('{\n  "ready": true\n}'),
    );
    renameSync(staged, this.at('var/state.json'));
    syncDirectory(this.at('var'));
    this.note('var/state.json', bytes);
    this.pendingTransaction = name;
  }

  /** After the journal line. */
  endTransaction(): void {
    const name = this.pendingTransaction!;
    this.write(
      this.at(`${name}/status.commit`),
      O_RDWR | O_CREAT | O_EXCL,
      Buffer.from('{\n  "success": true\n}'),
    );
    for (const file of ['status.commit', 'status.intent', 'manifest.json'])
      unlinkSync(this.at(`${name}/${file}`));
    for (const part of ['undo', 'stage/var', 'stage']) removeEmpty(this.at(`${name}/${part}`));
    removeEmpty(this.at(name));
    syncDirectory(this.at('var/txn'));
  }

  /** Step files: opened with truncation and written in pieces, so that they are torn for an instant. */
  overwrite(path: string, bytes: Buffer, between: () => void): void {
    const target = this.at(path);
    mkdirSync(dirname(target), { recursive: true });
    const handle = openSync(target, O_WRONLY | O_CREAT | O_TRUNC, 0o644);
    const middle = Math.floor(bytes.length / 2);
    between();
    writeSync(handle, bytes, 0, middle);
    between();
    writeSync(handle, bytes, middle);
    closeSync(handle);
    this.note(path, bytes);
  }

  /** `metrics.json`: opened without truncation, then cut and written. */
  rewrite(path: string, bytes: Buffer): void {
    const handle = openSync(this.at(path), O_RDWR | O_CREAT, 0o644);
    ftruncateSync(handle, 0);
    writeSync(handle, bytes);
    fsyncSync(handle);
    closeSync(handle);
    this.note(path, bytes);
  }

  /** The journal: the object in one write, its end of line in another. */
  append(line: string, between: () => void): void {
    const path = 'var/journal.ndjson';
    const handle = openSync(this.at(path), O_WRONLY | O_CREAT | O_APPEND, 0o644);
    writeSync(handle, line);
    between();
    writeSync(handle, '\n');
    fsyncSync(handle);
    closeSync(handle);
    syncDirectory(this.at('var'));
    this.say({ path, kind: 'line', value: line, atMs: Date.now() });
  }

  /** Takes both locks, or says that somebody else has one. */
  lock(pid: number): boolean {
    if (!this.tryCreate('var/state.lock', 'locked')) return false;
    const expires = new Date(Date.now() + 600_000).toISOString();
    const lease = { pid, acquired_at: new Date().toISOString(), expires_at: expires, hostname: 'vm' };
    if (this.tryCreate('var/runlock', JSON.stringify(lease))) return true;
    unlinkSync(this.at('var/state.lock'));
    return false;
  }

  unlock(): void {
    unlinkSync(this.at('var/runlock'));
    unlinkSync(this.at('var/state.lock'));
  }

  private pendingTransaction: string | undefined;

  private at(path: string): string {
    return join(this.home, path);
  }

  private write(file: string, flags: number, bytes: Buffer): void {
    const handle = openSync(file, flags, 0o600);
    writeSync(handle, bytes);
    fsyncSync(handle);
    closeSync(handle);
  }

  private tryCreate(path: string, text: string): boolean {
    try {
      const handle = openSync(this.at(path), O_WRONLY | O_CREAT | O_EXCL, 0o644);
      writeSync(handle, text);
      closeSync(handle);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    }
  }

  private note(path: string, bytes: Buffer): void {
    this.say({
      path,
      kind: 'file',
      value: createHash('sha256').update(bytes).digest('hex'),
      atMs: Date.now(),
      ...(path === GO_STATE ? { version: versionOf(bytes) } : {}),
    });
  }

  private say(write: ForeignWrite): void {
    this.writes += 1;
    appendFileSync(this.ledger, `${JSON.stringify(write)}\n`);
  }
}

function syncDirectory(directory: string): void {
  const handle = openSync(directory, 'r');
  fsyncSync(handle);
  closeSync(handle);
}

/** A directory that another program put something into stays, as the Go tool leaves it. */
function removeEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
  }
}
