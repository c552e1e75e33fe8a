import { StorageError } from '@deespec/domain';
import type { DerivedUnit, SbiId, TreePath, TreeStat } from '@deespec/domain';

import { classifyPath } from '../paths.js';
import type { Draft } from './draft.js';
import type { LineStamp } from './go-files.js';

/** The layout of one SBI: `document` keeps its fields in `state.json`, `go` in `meta.yml`, the journal and `var/state.json`. */
export type LayoutName = 'document' | 'go';

/** Where one SBI stands. */
export interface SbiPlace {
  readonly id: SbiId;
  readonly layout: LayoutName;
  readonly directory: TreePath;
  /** Its `state.json` or `meta.yml`, which need not be there yet. */
  readonly file: TreePath;
}

/** What every planned change works with. */
export interface Planning {
  readonly draft: Draft;
  /** What the SBI's directory means before the change; absent when there is none. */
  readonly before: DerivedUnit | undefined;
  readonly stamp: LineStamp;
}

/**
 * Tells the layout of an SBI by the files it has.
 *
 * @param entries - of its directory, which comes first
 * @throws StorageError `SBI.NOT_FOUND`
 */
export function placeOf(entries: readonly TreeStat[], id: SbiId): SbiPlace {
  const directory = entries[0]?.path;
  if (directory === undefined) {
    throw new StorageError('SBI.NOT_FOUND', `no SBI ${id}`, {
      hint: '"deespec sbi list" shows those that exist',
      details: { id },
    });
  }
  const roles = new Map(entries.map(({ path }) => [classifyPath(path).role, path]));
  const state = roles.get('state');
  if (state !== undefined) return { id, layout: 'document', directory, file: state };
  const meta = roles.get('meta') ?? (`${directory}/meta.yml` as TreePath);
  return { id, layout: 'go', directory, file: meta };
}
