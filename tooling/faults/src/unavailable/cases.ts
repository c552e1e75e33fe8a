import type { StorageMode } from '@deespec/domain';
import { join } from 'node:path';

import type { Place } from '../place.js';
import { databaseFiles, fillDisk, lockDatabase, makeImmutable, type Fault } from './fault.js';

/** One way in which the second store cannot be written. */
export interface UnavailableCase {
  readonly name: string;
  readonly mode: StorageMode;
  readonly needs: readonly ('strace' | 'root')[];
  /** Begins it. @param pid - the service that had the tree open before */
  begin(place: Place, at: { readonly pid: number; readonly directory: string }): Promise<Fault>;
  /** False where a new process does not meet it. */
  readonly meetsAll: boolean;
}

/** The item that every case changes: it stands in a directory that can be made read-only. */
export const ITEM = 'SBI-01JDSHAREDX000000000000001';

/** Every way. */
export const unavailableCases: readonly UnavailableCase[] = [
  {
    name: 'database locked',
    mode: 'dual_write',
    needs: [],
    meetsAll: true,
    begin: (place) => lockDatabase(place),
  },
  {
    name: 'database read-only',
    mode: 'dual_write',
    needs: ['root'],
    meetsAll: true,
    begin: async (place) => makeImmutable(databaseFiles(place)),
  },
  {
    name: 'no space for the log',
    mode: 'dual_write',
    needs: ['strace'],
    meetsAll: false,
    begin: (place, { pid, directory }) => fillDisk(place, pid, join(directory, 'trace')),
  },
  {
    name: 'files read-only',
    mode: 'sqlite',
    needs: ['root'],
    meetsAll: true,
    begin: async ({ home }) => makeImmutable([join(home, 'specs/sbi', ITEM)]),
  },
];
