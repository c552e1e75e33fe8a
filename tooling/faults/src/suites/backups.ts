import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { BackupRound, type RoundKind } from '../backup/backup-round.js';
import type { Bad, Share, Suite, SuiteContext } from '../suite.js';

/** A backup and its restore are one cycle. */
const CYCLES: Readonly<Record<Share, number>> = { ci: 20, full: 500 };

/** Cycles on one tree: it grows with each. */
const CYCLES_EACH = 10;

const kinds: readonly RoundKind[] = [
  { mode: 'sqlite', layout: 'document' },
  { mode: 'file', layout: 'go' },
  { mode: 'dual_write', layout: 'document' },
  { mode: 'sqlite', layout: 'go' },
  { mode: 'file', layout: 'document' },
  { mode: 'dual_write', layout: 'go' },
];

/**
 * Backups are made and brought back while four processes write, each number with a content in one transaction: what comes back holds
 * every number up to some one, which is at least the last one that was acknowledged before the backup began.
 */
export const backups: Suite = {
  name: 'backups',
  about:
    'backups are made and restored while four processes write: each holds all that was acknowledged before',
  needs: [],
  run: async (context) => {
    const bad: Bad[] = [];
    const facts: Record<string, number> = {};
    let points = 0;
    const cycles = Math.min(CYCLES_EACH, context.points ?? Infinity);
    for (const [number, kind] of chooseRounds(context).entries()) {
      const name = `${kind.mode} ${kind.layout}`;
      const directory = join(context.directory, String(number));
      mkdirSync(directory);
      const round = new BackupRound({ ...context, directory }, kind);
      await round.run(cycles);
      points += round.cycles;
      facts[name] = (facts[name] ?? 0) + round.cycles;
      bad.push(...round.wrong.map((what) => ({ point: name, what })));
      context.say(`  ${name}: ${round.fact}, ${round.wrong.length} wrong`);
      for (const what of round.wrong) context.say(`    ${what}`);
      if (bad.length >= context.enough) break;
    }
    return { points, bad, facts };
  },
};

/** Each kind in turn; another seed begins with another one. */
function chooseRounds({ share, seed, only }: SuiteContext): readonly RoundKind[] {
  const asked = kinds.filter(({ mode, layout }) =>
    only.some((word) => [mode, layout, `${mode} ${layout}`].includes(word)),
  );
  if (only.length > 0) return asked;
  const count = CYCLES[share] / CYCLES_EACH;
  return Array.from({ length: count }, (_, at) => kinds[((seed - 1) * count + at) % kinds.length]!);
}
