import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import colors from 'picocolors';

import { renderDemo } from './render.js';
import { runDemo } from './run-demo.js';

const repository = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/u, '');

/** The program: 0 when every byte came back, 1 when anything failed. */
function main(): number {
  const directory = mkdtempSync(join(tmpdir(), 'deespec-demo-'));
  process.stdout.write(`${colors.bold('DeeSpec Storage: a tree goes into SQLite and comes back')}\n\n`);
  try {
    let step = 0;
    const onStep = (title: string): void => void process.stdout.write(`  ${(step += 1)}. ${title}\n`);
    const result = runDemo({ directory, sbis: 200, onStep });
    process.stdout.write(`\n${renderDemo(result, repository)}`);
    return result.failures.length === 0 ? 0 : 1;
  } catch (error) {
    process.stderr.write(`\n${colors.red('The demo failed:')} ${(error as Error).message}\n`);
    process.stderr.write(`What it wrote is in ${directory}\n`);
    return 1;
  }
}

process.exitCode = main();
