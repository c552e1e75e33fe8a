import { openHandle } from '@deespec/sqlite-adapter';
import { closeSync, existsSync, lstatSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import type { Place } from '../place.js';
import { withCopy } from '../state.js';
import { itemsOf } from './base-place.js';

const MARK = 'what another program wrote in the middle of it\n';

/** A program that has opened a file for writing, and takes no lock. */
export interface ForeignWriter {
  /** Writes at the end of what it has opened, whatever stands at the name by now, and closes it. */
  write(): void;
}

/** Opens the file that the operations of kind `execution-again` replace. */
export function openForeignWriter(place: Place): ForeignWriter {
  const items = join(place.home, 'specs/sbi');
  const directory = readdirSync(items).find((name) => name.startsWith(itemsOf(place).b[0]!))!;
  const handle = openSync(join(items, directory, 'implement_2.md'), 'a');
  return {
    write: () => {
      writeSync(handle, MARK);
      closeSync(handle);
    },
  };
}

/** True when what the foreign program wrote stands somewhere: in the tree, in the database, among what is kept. */
export async function isMarkKept(place: Place): Promise<boolean> {
  if (isMarkBelow(place.home)) return true;
  return withCopy(place, async (copy) => {
    const handle = openHandle(copy, 'write');
    try {
      const bytes = handle
        .prepare('SELECT bytes FROM content UNION ALL SELECT content FROM execution')
        .pluck()
        .all() as (Buffer | string | null)[];
      return bytes.some((content) => content !== null && Buffer.from(content as string).includes(MARK));
    } finally {
      handle.close();
    }
  });
}

function isMarkBelow(path: string): boolean {
  if (!existsSync(path)) return false;
  const stat = lstatSync(path);
  if (stat.isDirectory()) return readdirSync(path).some((name) => isMarkBelow(join(path, name)));
  return stat.isFile() && !path.includes('deespec.db') && readFileSync(path).includes(MARK);
}
