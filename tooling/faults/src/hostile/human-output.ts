import { execa } from 'execa';

import { childEnvironment, launcher } from '../settings.js';
import type { Place } from './place.js';

/** Runs a command as people do, without `--json`; `all` is what both streams print. */
export function startCommand(place: Pick<Place, 'home'>, args: readonly string[]) {
  return execa(process.execPath, [launcher, '--home', place.home, ...args], {
    all: true,
    extendEnv: false,
    env: childEnvironment({}),
    stdin: 'ignore',
    reject: false,
    timeout: 30_000,
    killSignal: 'SIGKILL',
  });
}

/** What {@link startCommand} prints. */
export async function runHuman(place: Pick<Place, 'home'>, args: readonly string[]): Promise<string> {
  return (await startCommand(place, args)).all;
}

/** Control and direction characters as a terminal obeys them; line feeds are ours. */
// eslint-disable-next-line no-control-regex
const controls = /[\0-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/u;

/** What is wrong with an output: raw control characters of a tree. */
export function rawControls(output: string): string[] {
  const found = controls.exec(output);
  if (found === null) return [];
  return [
    `raw control character in ${JSON.stringify(output.slice(Math.max(0, found.index - 40), found.index + 10))}`,
  ];
}
