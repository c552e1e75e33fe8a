import {
  checkIndex,
  expectedSchema,
  latestEvidence,
  openHandle,
  recordDigest,
} from '@deespec/sqlite-adapter';
import { digestTree, verifyTree } from '@deespec/verifier';

import type { Command, Judge, Verdict } from '../operation.js';
import { isCanaryAlive, type Place } from '../place.js';
import { endingOf, misbehaviour, runProduct } from '../product.js';
import { residue, withCopy } from '../state.js';

interface Before {
  /** Digest of the tree. */
  readonly source: string;
  /** Hash of every row. */
  readonly record: string;
}

/**
 * Judges the application of a plan, which begins in `place`: the database holds every row that it held before, or every row is
 * what the stored bytes say; and the bytes are those of the tree in either case.
 *
 * @param recovery - the commands that bring to an end what was cut off
 */
export function judgeRepair(place: Place, recovery: (place: Place) => readonly Command[]): Judge {
  const before = look(place);
  // Awaited by whoever asks first.
  before.catch(() => undefined);
  return {
    ended: async (ended) => judge(ended, await before),
    recovered: async (ended, bugs) => {
      const wrong: string[] = [];
      for (const { args, exits } of recovery(ended)) {
        const run = await runProduct({ args, bugs });
        wrong.push(...misbehaviour(run));
        if (!exits.includes(run.exitCode ?? -1)) wrong.push(endingOf(run));
      }
      const settled = await judge(ended, await before);
      wrong.push(...settled.wrong);
      if (settled.left !== 'new') wrong.push('the database is not repaired');
      return { wrong: [...wrong, ...residue(ended).map((name) => `left behind: ${name}`)] };
    },
  };
}

async function look(place: Place): Promise<Before> {
  const { digest: source } = await digestTree(place.home);
  return { source, record: await withCopy(place, async (copy) => recordOf(copy)) };
}

async function judge(place: Place, before: Before): Promise<Verdict> {
  const wrong: string[] = [];
  if ((await digestTree(place.home)).digest !== before.source) wrong.push('the source changed');
  if (!isCanaryAlive(place)) wrong.push('something was written beside the tree');
  return withCopy(place, async (copy) => {
    if (recordOf(copy) === before.record) return { wrong, left: 'old', isOver: false };
    wrong.push(...(await wrongWith(copy, place)));
    return { wrong, left: 'new', isOver: true };
  });
}

function recordOf(copy: string): string {
  const handle = openHandle(copy, 'write');
  try {
    return recordDigest(handle);
  } finally {
    handle.close();
  }
}

/** What is wrong with a database that is not the old one. */
async function wrongWith(copy: string, { home }: Place): Promise<string[]> {
  const verified = await verifyTree({
    home,
    database: copy,
    expectedSchema: expectedSchema(),
    checkAll: true,
  });
  const handle = openHandle(copy, 'write');
  try {
    const index = await checkIndex(handle);
    const wrong = [
      ...verified.differences.map(({ what, where, actual }) => `${what} ${where}: ${actual}`),
      ...index.map(({ where, actual }) => `row ${where}: ${actual}`),
    ];
    const mode = handle.prepare('SELECT mode FROM storage_state').pluck().get();
    const isProven = latestEvidence(handle, 'migrate')?.record === recordDigest(handle);
    if (mode === 'file' && !isProven) wrong.push('its evidence is of other rows');
    return wrong.slice(0, 3).map((what) => `neither as before nor repaired: ${what}`);
  } finally {
    handle.close();
  }
}
