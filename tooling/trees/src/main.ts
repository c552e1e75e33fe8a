import { parseArgs } from 'node:util';

import type { TreeLayout } from './furniture.js';
import { generateTree } from './generate.js';

const usage = `usage: node tooling/trees/dist/main.js <dir> [options]

Writes a .deespec tree into <dir>, which must be absent or empty.

  --layout A|B|mixed   layout of the tree (default mixed)
  --sbis <n>           ordinary SBIs (default 100)
  --seed <n>           the same seed gives the same tree (default 1)
  --awkward            add contents, names, links and modes that programs get wrong

example: node tooling/trees/dist/main.js sample/.deespec --layout mixed --sbis 1000 --seed 1 --awkward
`;

/** The command line: 0 when the tree was written, 64 for a usage error. */
function main(): number {
  let parsed;
  try {
    parsed = parseCommandLine();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}`);
    return 64;
  }
  const { directory, ...options } = parsed;
  process.stdout.write(`${JSON.stringify(generateTree(directory, options), null, 2)}\n`);
  return 0;
}

function parseCommandLine(): Parameters<typeof generateTree>[1] & { directory: string } {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      layout: { type: 'string', default: 'mixed' },
      sbis: { type: 'string', default: '100' },
      seed: { type: 'string', default: '1' },
      awkward: { type: 'boolean', default: false },
    },
  });
  const [directory] = positionals;
  if (directory === undefined || positionals.length > 1) throw new Error('name one directory');
  return {
    directory,
    layout: parseLayout(values.layout),
    sbis: parseCount('--sbis', values.sbis),
    seed: parseCount('--seed', values.seed),
    awkward: values.awkward,
  };
}

function parseLayout(text: string): TreeLayout {
  if (text === 'A' || text === 'B' || text === 'mixed') return text;
  throw new Error(`--layout is A, B or mixed, not ${JSON.stringify(text)}`);
}

function parseCount(flag: string, text: string): number {
  if (/^\d{1,9}$/u.test(text)) return Number(text);
  throw new Error(`${flag} is a whole number, not ${JSON.stringify(text)}`);
}

process.exitCode = main();
