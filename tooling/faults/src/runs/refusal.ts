import Database from 'better-sqlite3';

import { fillPlace } from '../dual/base-place.js';
import type { Place } from '../place.js';
import { misbehaviour, runProduct, type ProductRun } from '../product.js';
import type { BugName } from '../seeded-bugs.js';
import { treeDigest } from '../backup/backup-looks.js';

/**
 * A content in the database decays while the files are the truth: a cut-over must not make that database the truth.
 *
 * @param place - empty
 * @returns what is wrong
 */
export async function refuseDecayed(place: Place, bugs: readonly BugName[]): Promise<string[]> {
  await fillPlace(place, 'dual_write');
  const handle = new Database(place.database);
  try {
    handle.exec(
      'UPDATE content SET bytes = zeroblob(size) WHERE id = (SELECT max(id) FROM content WHERE size > 0)',
    );
  } finally {
    handle.close();
  }
  const before = await treeDigest(place);
  const ask = (...words: string[]): Promise<ProductRun> =>
    runProduct({ args: [...words, '--home', place.home], bugs, timeoutMs: 120_000 });
  const run = await ask('cutover', '--yes');
  const wrong = misbehaviour(run);
  if (run.exitCode === 0) wrong.push('a database with a decayed content became the truth');
  const { mode } = (await ask('mode')).document?.data ?? {};
  if (mode !== 'dual_write') wrong.push(`the mode is ${String(mode)} after a cut-over that was refused`);
  if ((await treeDigest(place)) !== before) wrong.push('the files changed');
  return wrong;
}
