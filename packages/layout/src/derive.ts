import type { DerivedUnit, TreeReader } from '@deespec/domain';

import type { ContextOptions, TreeContext } from './context.js';
import type { TreeUnit } from './units.js';

/** What one unit means: rows, findings, quarantine. */
export function deriveUnit(_unit: TreeUnit, _context: TreeContext, _reader: TreeReader): DerivedUnit {
  throw new Error('not built');
}

/** Derives a whole tree, unit by unit in scan order. */
export function deriveTree(_reader: TreeReader, _options: ContextOptions): Iterable<DerivedUnit> {
  throw new Error('not built');
}
