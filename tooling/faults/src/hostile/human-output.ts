import { execa } from 'execa';

import { childEnvironment, launcher } from '../settings.js';
import type { Place } from './place.js';

/** What the product prints for people, both streams. */
export async function runHuman(place: Place, args: readonly string[], home = place.home): Promise<string> {
  const { all } = await execa(process.execPath, [launcher, ...args, '--home', home], {
    all: true,
    extendEnv: false,
    env: childEnvironment({}),
    stdin: 'ignore',
    reject: false,
    timeout: 30_000,
    killSignal: 'SIGKILL',
  });
  return all;
}

/** Control and direction characters as a terminal obeys them; line feeds are ours. */
const controls = /[\0-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/u;

/** What is wrong with an output: raw control characters of a tree. */
export function rawControls(output: string): string[] {
  const found = controls.exec(output);
  if (found === null) return [];
  return [`raw control character in ${JSON.stringify(output.slice(Math.max(0, found.index - 40), found.index + 10))}`];
}
