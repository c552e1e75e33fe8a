import type { StorageMode } from '@deespec/domain';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { makePlace } from '../place.js';
import type { Bad, Share, Suite, SuiteContext } from '../suite.js';
import { doubleClaims, waits, wrongEnds } from '../writers/check-calls.js';
import { missingWrites, Proofs } from '../writers/check-tree.js';
import { Crew } from '../writers/crew.js';
import { isAcknowledged } from '../writers/ledger.js';
import { makeShared, type Layout } from '../writers/shared-items.js';

interface Size {
  readonly writes: number;
  readonly kills: number;
}

const sizes: Readonly<Record<Share, Size>> = {
  ci: { writes: 200, kills: 6 },
  full: { writes: 2_000, kills: 60 },
};

const WORKERS = 8;
const READERS = 2;

/** A call that waits longer makes its service fail. Source: docs/adr/0004. */
const LONGEST_MS = 5_000;

interface Case {
  readonly mode: StorageMode;
  readonly layout: Layout;
}

const modes = ['file', 'dual_write', 'sqlite'] as const;
const layouts = ['document', 'go'] as const;

export const writers: Suite = {
  name: 'writers',
  about: 'eight processes write through the API while workers are killed: nothing acknowledged is lost',
  needs: [],
  run: async (context) => {
    const bad: Bad[] = [];
    const facts: Record<string, number | string> = {};
    let points = 0;
    for (const one of chooseCases(context)) {
      const name = `${one.mode} ${one.layout}`;
      const result = await runCase(context, one);
      points += result.acknowledged;
      facts[name] = result.fact;
      bad.push(...result.wrong.map((what) => ({ point: name, what })));
      context.say(`  ${name}: ${result.fact}, ${result.wrong.length} wrong`);
      for (const what of result.wrong) context.say(`    ${what}`);
      if (bad.length >= context.enough) break;
    }
    return { points, bad, facts };
  },
};

/** In the CI share each mode has one of the layouts; another seed gives it the other. */
function chooseCases({ share, seed, only }: SuiteContext): Case[] {
  const all = modes.flatMap((mode, i) =>
    layouts
      .filter((_, j) => share === 'full' || (i + j + seed) % 2 === 0)
      .map((layout) => ({ mode, layout })),
  );
  return all.filter(
    ({ mode, layout }) =>
      only.length === 0 || only.some((word) => [mode, layout, `${mode} ${layout}`].includes(word)),
  );
}

interface CaseResult {
  readonly acknowledged: number;
  readonly fact: string;
  readonly wrong: readonly string[];
}

async function runCase(context: SuiteContext, { mode, layout }: Case): Promise<CaseResult> {
  const { share, seed, bugs, points = Infinity } = context;
  const directory = join(context.directory, `${mode}-${layout}`);
  mkdirSync(directory);
  const place = makePlace(join(directory, 'place'));
  await makeShared(place, layout, mode);
  const started = performance.now();
  const crew = new Crew({
    ...{ place, directory, workers: WORKERS, readers: READERS, seed, bugs },
    ...{ writes: Math.min(sizes[share].writes, points), kills: sizes[share].kills },
    hasCheckpoints: mode !== 'file',
    expects: 'none',
  });
  const report = await crew.finish();
  const seconds = (performance.now() - started) / 1_000;
  const { calls } = report;
  const wrong = [...report.wrong, ...wrongEnds(calls), ...doubleClaims(calls)];
  const proofs = new Proofs(place, bugs);
  wrong.push(...(await proofs.all(mode)));
  const kept = await proofs.conflicts();
  wrong.push(...kept.map((conflict) => `a conflict without a foreign writer: ${JSON.stringify(conflict)}`));
  wrong.push(...(await missingWrites(place.home, calls)));
  const acknowledged = calls.filter(isAcknowledged).length;
  const { p50, p99, worst, worstOp } = waits(calls);
  if (mode === 'sqlite' && worst > LONGEST_MS) wrong.push(`a call (${worstOp}) waited ${worst} ms`);
  const unknown = calls.filter(({ end }) => end === undefined).length;
  const fact =
    `${acknowledged} writes (${Math.round(acknowledged / seconds)}/s), ${report.kills} kills with ${unknown} calls under way, ` +
    `p50 ${p50} ms, p99 ${p99} ms, worst ${worst} ms (${worstOp}), ${report.looks} looks, ${report.checkpoints} checkpoints, ${kept.length} conflicts`;
  return { acknowledged, fact, wrong };
}
