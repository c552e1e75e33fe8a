import { operations, type JobOperation } from '../operation.js';
import type { Place } from '../place.js';

/** What stands on the small disk: the tree and all that belongs to it, or only what the command writes elsewhere. */
export type OnSmallDisk = 'tree' | 'output';

/** A command on a full disk. */
export interface FullCase {
  readonly name: string;
  readonly operation: JobOperation;
  readonly small: OnSmallDisk;
  /** True for commands that only read: a full disk must not stop them. */
  readonly reads: boolean;
}

/** How much room is left, and what the room is of. */
export interface Room {
  readonly of: 'bytes' | 'inodes';
  readonly left: number;
}

/** The commands, each with what is on the small disk. */
export const fullCases: readonly FullCase[] = [
  { name: 'migrate', operation: operationCalled('migrate'), small: 'tree', reads: false },
  { name: 're-run', operation: operationCalled('re-run'), small: 'tree', reads: false },
  { name: 'quarantine', operation: operationCalled('quarantine'), small: 'tree', reads: false },
  { name: 'dry run', operation: dryRun(operationCalled('re-run')), small: 'tree', reads: false },
  { name: 'export', operation: operationCalled('export'), small: 'output', reads: false },
  { name: 'verify', operation: operationCalled('verify'), small: 'tree', reads: true },
];

/** Commands that must work on a tree without room: they need none. */
export const readingCommands: readonly ((place: Place) => readonly string[])[] = [
  ({ home }) => ['status', '--home', home],
  ({ home }) => ['verify', '--home', home],
  ({ home }) => ['digest', home],
  ({ home }) => ['sbi', 'list', '--home', home],
  ({ home }) => ['sbi', 'list', '--store', 'sqlite', '--home', home],
  ({ home }) => ['config', 'list', '--store', 'sqlite', '--home', home],
];

const LEAST_BYTES = 8 * 1024;
const MOST_BYTES = 4 * 1_048_576;

/** `count` amounts of room from 8 KiB to 4 MiB, each larger than the one before by the same factor. */
export function amountsOfRoom(count: number): readonly Room[] {
  const factor = (MOST_BYTES / LEAST_BYTES) ** (1 / (count - 1));
  return Array.from({ length: count }, (_, i) => ({
    of: 'bytes',
    left: Math.round(LEAST_BYTES * factor ** i),
  }));
}

/** `count` amounts of room for names, from none: a command needs few, but an export as many as the tree has. */
export function namesOfRoom({ small }: FullCase, count: number): readonly Room[] {
  const step = small === 'output' ? 9 : 1;
  return Array.from({ length: count }, (_, i) => ({ of: 'inodes', left: i * step }));
}

function operationCalled(name: string): JobOperation {
  const found = operations.find((operation) => operation.name === name);
  if (found === undefined) throw new Error(`no operation is called ${name}`);
  return found;
}

function dryRun(operation: JobOperation): JobOperation {
  return { ...operation, name: 'dry run', args: (place) => [...operation.args(place), '--dry-run'] };
}
