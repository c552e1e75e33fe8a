// Loaded into the product by --import: puts the seeded bugs of the environment into its modules while they are loaded. The
// built product holds none of them and does not know of this.
import { register } from 'node:module';
import type { LoadHook } from 'node:module';
import { isMainThread } from 'node:worker_threads';

import { BUGS_VARIABLE, seedBugs, type BugName } from './seeded-bugs.js';

const names = (process.env[BUGS_VARIABLE] ?? '').split(',').filter((name) => name !== '') as BugName[];

if (isMainThread) register(import.meta.url);

/** See https://nodejs.org/api/module.html#hooks. */
export const load: LoadHook = async (url, context, next) => {
  const loaded = await next(url, context);
  if (loaded.format !== 'module' || loaded.source == null) return loaded;
  const text =
    typeof loaded.source === 'string' ? loaded.source : Buffer.from(loaded.source as Uint8Array).toString();
  return { ...loaded, source: seedBugs(url, text, names) };
};
