import { Random } from '@deespec/trees';
import { join } from 'node:path';

import { Sequence } from '../model/sequence.js';
import { makePlace } from '../place.js';
import type { Bad, Share, Suite } from '../suite.js';
import { makeShared } from '../writers/shared-items.js';

const sizes: Readonly<Record<Share, { readonly runs: number; readonly steps: number }>> = {
  ci: { runs: 3, steps: 15 },
  full: { runs: 100, steps: 40 },
};

const modes = ['file', 'dual_write', 'sqlite'] as const;

export const model: Suite = {
  name: 'model',
  about:
    'random sequences of writes, foreign edits, changes of mode and kills: what is there is what a model says',
  needs: [],
  run: async ({ directory, share, seed, bugs, points, enough, say }) => {
    const bad: Bad[] = [];
    const { runs, steps } = sizes[share];
    const count = Math.min(runs, points ?? runs);
    let changes = 0;
    for (let n = 0; n < count && bad.length < enough; n += 1) {
      const own = seed * 1_000 + n;
      const mode = modes[own % modes.length]!;
      const layout = own % 2 === 0 ? 'document' : 'go';
      const place = makePlace(join(directory, `run-${n}`));
      await makeShared(place, layout, mode);
      const sequence = new Sequence(place, { random: new Random(own), bugs }, mode);
      const wrong = await sequence.run(steps);
      changes += sequence.done.length;
      const name = `${mode} ${layout}, sequence ${own}: ${sequence.done.join(', ')}`;
      bad.push(...wrong.map((what) => ({ point: name, what })));
      say(`  ${mode} ${layout}, sequence ${own}: ${steps} changes, ${wrong.length} wrong`);
      for (const what of wrong) say(`    ${what}`);
    }
    return { points: count, bad, facts: { changes } };
  },
};
