import { afterAll, describe, expect, test } from '@jest/globals';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { migrate, verify, type Progress } from '../src/index.js';
import { generatedTree, put, removeDirectories } from './support.js';

afterAll(removeDirectories);

/** Runs `change` once, at the first report of the load. */
function during(phase: Progress['phase'], change: () => void): (progress: Progress) => void {
  let isDone = false;
  return (progress) => {
    if (isDone || progress.phase !== phase) return;
    isDone = true;
    change();
  };
}

describe('A tree that changes while it is read', () => {
  test('has the rows of a journal line that was appended after the journal was parsed', async () => {
    const home = generatedTree('B');
    const journal = join(home, 'var/journal.ndjson');
    const pick = readFileSync(journal, 'utf8').split('\n')[0]!;
    const before = (await migrate({ home, dryRun: true })).rows.execution;

    const report = await migrate({
      home,
      batchSize: 1,
      onProgress: during('load', () => appendFileSync(journal, `${pick}\n`)),
    });

    expect(report).toMatchObject({ rounds: 2, rows: { execution: before + 1 } });
    expect((await verify({ home, checkAll: true })).differences).toEqual([]);
  });

  test('has the bytes that were written after the load', async () => {
    const home = generatedTree('A');

    const report = await migrate({
      home,
      onProgress: during('verify', () => put(home, 'knowledge/late.md', 'late\n')),
    });

    expect(report.rounds).toBe(2);
    expect((await verify({ home, checkAll: true })).ok).toBe(true);
  });

  test('is refused when it never holds still, and nothing is published', async () => {
    const home = generatedTree('A');
    let n = 0;

    await expect(
      migrate({
        home,
        onProgress: ({ phase }) => phase === 'verify' && put(home, 'knowledge/late.md', `${(n += 1)}`),
      }),
    ).rejects.toMatchObject({ code: 'TREE.UNSTABLE' });
    expect((await migrate({ home })).outcome).toBe('created');
  });
});
