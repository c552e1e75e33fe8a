import { createHash } from 'node:crypto';

import { rows } from '../support.js';

/** What the database of a tree holds, by hash. */
export function digestOf(home: string): { holds(content: string): boolean } {
  const hashes = rows(home, 'SELECT sha256 FROM tree_entry') as { sha256: string }[];
  const known = new Set(hashes.map(({ sha256 }) => sha256));
  return { holds: (content) => known.has(createHash('sha256').update(content).digest('hex')) };
}
