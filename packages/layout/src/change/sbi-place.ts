import type { DerivedUnit, SbiId, TreePath } from '@deespec/domain';
import { StorageError } from '@deespec/domain';

import type { TreeContext } from '../context.js';
import { classifyPath } from '../paths.js';
import type { TreeUnit } from '../units.js';
import type { Draft } from './draft.js';
import type { LineStamp } from './go-files.js';

/** The layout of one SBI: `document` keeps its fields in `state.json`, `go` in `meta.yml`, the journal and `var/state.json`. */
export type LayoutName = 'document' | 'go';

/** Where one SBI stands. */
export interface SbiPlace {
  readonly id: SbiId;
  readonly layout: LayoutName;
  readonly unit: TreeUnit;
  /** Its `state.json` or `meta.yml`, which need not be there yet. */
  readonly file: TreePath;
}

/** What every planned change works with. */
export interface Planning {
  readonly draft: Draft;
  readonly context: TreeContext;
  /** What the SBI's directory means now; absent when there is none. */
  readonly before: DerivedUnit | undefined;
  readonly stamp: LineStamp;
}

/** Tells the layout of an SBI by the files it has. @throws StorageError `SBI.NOT_FOUND` */
export function placeOf(unit: TreeUnit | undefined, id: SbiId): SbiPlace {
  if (unit === undefined) {
    throw new StorageError('SBI.NOT_FOUND', `no SBI ${id}`, {
      hint: '"deespec sbi list" shows those that exist',
      details: { id },
    });
  }
  const roles = new Map(unit.entries.map(({ path }) => [classifyPath(path).role, path]));
  const state = roles.get('state');
  if (state !== undefined) return { id, layout: 'document', unit, file: state };
  const meta = roles.get('meta') ?? (`${unit.path}/meta.yml` as TreePath);
  return { id, layout: 'go', unit, file: meta };
}
