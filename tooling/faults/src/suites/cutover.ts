import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { makePlace } from '../place.js';
import { Journey, type JourneySize } from '../runs/journey.js';
import { CrewWriters, TwinWriters } from '../runs/journey-writers.js';
import { refuseDecayed } from '../runs/refusal.js';
import type { Bad, Share, Suite, SuiteContext } from '../suite.js';
import { makeShared } from '../writers/shared-items.js';

/** Of each journey. */
const sizes: Readonly<Record<Share, JourneySize>> = {
  ci: { kills: 6, writes: 25 },
  full: { kills: 100, writes: 250 },
};

/** Journeys by the layout of the tree, one beside a twin that never leaves its files, and what no journey can meet. */
const cases = ['document', 'go', 'twins', 'decayed'] as const;
type Case = (typeof cases)[number];

/**
 * A tree is cut over, written to by four processes, brought back from a backup and rolled back, again and again, while these commands
 * are killed. After each kill one store holds everything; in the end the files have every acknowledged write.
 */
export const cutover: Suite = {
  name: 'cutover',
  about:
    'cut-over, restore and rollback are killed at any step: one store holds all, the same command finishes, nothing is lost',
  needs: [],
  run: async (context) => {
    const bad: Bad[] = [];
    const facts: Record<string, string> = {};
    let points = 0;
    for (const name of chooseCases(context)) {
      const { kills, fact, wrong } = await runCase(context, name);
      points += kills;
      facts[name] = fact;
      bad.push(...wrong.map((what) => ({ point: name, what })));
      context.say(`  ${name}: ${fact}, ${wrong.length} wrong`);
      for (const what of wrong) context.say(`    ${what}`);
      if (bad.length >= context.enough) break;
    }
    return { points, bad, facts };
  },
};

/** In the CI share one of the layouts; another seed takes the other one. */
function chooseCases({ only, share, seed }: SuiteContext): readonly Case[] {
  if (only.length > 0) return cases.filter((name) => only.includes(name));
  return cases.filter((name, at) => share === 'full' || at > 1 || at === seed % 2);
}

interface CaseResult {
  /** Kills, or refusals. */
  readonly kills: number;
  readonly fact: string;
  readonly wrong: readonly string[];
}

async function runCase(context: SuiteContext, name: Case): Promise<CaseResult> {
  const directory = join(context.directory, name);
  mkdirSync(directory);
  const place = makePlace(join(directory, 'place'));
  if (name === 'decayed')
    return { kills: 1, fact: 'refused', wrong: await refuseDecayed(place, context.bugs) };
  await makeShared(place, name === 'go' ? 'go' : 'document', 'file');
  const own = { ...context, directory };
  const writers = name === 'twins' ? new TwinWriters(place, own) : new CrewWriters(place, own);
  const { kills, writes } = sizes[context.share];
  const size = { writes, kills: Math.min(kills, context.points ?? Infinity) };
  const journey = new Journey(own, place, { size, writers });
  const fact = await journey.run();
  return { kills: journey.kills, fact, wrong: journey.wrong };
}
