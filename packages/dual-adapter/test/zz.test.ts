import { expect, test } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { replay } from './simulation.js';
import { World } from './world.js';
test('more', async () => {
  const failures = [];
  for (let seed = 5001; seed <= 85000 && failures.length < 4; seed += 1) {
    const world = new World(seed);
    const wrong = await replay(world);
    if (wrong.length > 0) { failures.push({ seed, wrong }); writeFileSync(`/tmp/story-${seed}.txt`, [...world.story, ...wrong].join('\n')); }
  }
  expect(failures).toEqual([]);
}, 590000);
