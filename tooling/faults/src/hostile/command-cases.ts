import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';

import { endingOf, misbehaviour, runProduct, startProduct, endOf } from '../product.js';
import { childEnvironment, launcher } from '../settings.js';
import type { HostileCase, Refusal } from './hostile-case.js';
import { runHuman, startCommand } from './human-output.js';
import { sbiId, sbiPath, type Place } from './place.js';

function usage(...args: readonly string[]): Refusal {
  return { args, exit: 64, code: 'USAGE.INVALID' };
}

function exportTo(target: (place: Place) => string, exit: number, code: string): Refusal {
  return { args: (place) => ['export', '--output', target(place)], exit, code };
}

/** Options, surroundings and signals of a command. */
export const commandCases: readonly HostileCase[] = [
  {
    id: 'C01',
    input:
      'export to /, to the tree, into it, above it, to a directory that is not empty, to a file, below nothing',
    expect: {
      verdict: 'refuse',
      refusals: [
        exportTo(() => '/', 73, 'EXPORT.TARGET_NOT_EMPTY'),
        exportTo((place) => place.home, 65, 'EXPORT.TARGET_INSIDE_TREE'),
        exportTo((place) => `${place.home}/specs/sbi/new`, 65, 'EXPORT.TARGET_INSIDE_TREE'),
        exportTo((place) => `${place.home}/.storage/new`, 65, 'EXPORT.TARGET_INSIDE_TREE'),
        exportTo((place) => `${place.home}/../../project`, 65, 'EXPORT.TARGET_INSIDE_TREE'),
        exportTo((place) => `${place.directory}/elsewhere`, 73, 'EXPORT.TARGET_NOT_EMPTY'),
        exportTo((place) => `${place.directory}/canary.txt`, 73, 'EXPORT.TARGET_NOT_EMPTY'),
        exportTo((place) => `${place.directory}/none/out`, 66, 'FILE.NOT_FOUND'),
        exportTo((place) => `${place.directory}/canary.txt/out`, 66, 'FILE.NOT_FOUND'),
        exportTo((place) => `${place.directory}/${'n'.repeat(256)}`, 74, 'FILE.READ_FAILED'),
        usage('export', '--output', ''),
      ],
    },
    prepare: async (place) => void (await runHuman(place, ['migrate'])),
  },
  {
    id: 'C02',
    input: '--batch-size 0, -1, 1e9, NaN, 0x10, empty; --limit "1;drop"',
    expect: {
      verdict: 'refuse',
      refusals: [
        ...['0', '-1', '1e9', 'NaN', '0x10', '', ' 1', '1.5', '9'.repeat(400)].map((size) =>
          usage('migrate', `--batch-size=${size}`),
        ),
        usage('sbi', 'list', '--limit', '1;drop'),
        usage('sbi', 'list', '--limit', '-1'),
      ],
    },
  },
  {
    id: 'C03',
    input: 'ids that look like options, with and without --; ids with control characters',
    expect: {
      verdict: 'refuse',
      refusals: [
        usage('sbi', 'show', '-rf'),
        { args: ['sbi', 'show', '../../etc/passwd'], exit: 65, code: 'SBI.INVALID_ID' },
        { args: ['sbi', 'show', `${sbiId(0)}\n`], exit: 65, code: 'SBI.INVALID_ID' },
        { args: ['sbi', 'show', '\u001b[31m\u202e'], exit: 65, code: 'SBI.INVALID_ID' },
        { args: ['sbi', 'show', sbiId(77)], exit: 66, code: 'SBI.NOT_FOUND' },
      ],
    },
    check: async (place) => {
      const ids = await Promise.all(
        ['--help', '-rf'].map((id) => startCommand(place, ['sbi', 'show', '--', id])),
      );
      return ids.flatMap(({ exitCode, all }) =>
        exitCode === 65 && all.includes('SBI.INVALID_ID') ? [] : [`after --: exit ${exitCode} ${all}`],
      );
    },
  },
  {
    id: 'C04',
    input: 'an empty environment; a working directory that is gone; standard output closed or full',
    note: 'A closed or full output is exit 74, and what the command did stays done',
    expect: { verdict: 'exact' },
    check: oddSurroundings,
  },
  {
    id: 'C05',
    input: 'SIGINT, SIGTERM and SIGHUP at any time, once and twice',
    note: 'Once: 130, 143 or 129 and nothing left, or done; twice: ends at once, and the next run cleans up',
    expect: { verdict: 'exact' },
    prepare: (place) => {
      for (let n = 1; n < 60; n += 1) place.putSbi(n, { 'attachment.bin': Buffer.alloc(400_000, `${n} `) });
    },
    check: signals,
  },
];

async function oddSurroundings(place: Place): Promise<string[]> {
  const bare = await runProduct({ args: ['verify', '--home', place.home], wrapper: ['env', '-i', 'LANG=C'] });
  const gone = join(place.directory, 'gone');
  mkdirSync(gone);
  const noCwd = ['bash', '-c', 'cd "$0" && rmdir "$0" && exec "$@"', gone];
  const absolute = await runProduct({ args: ['verify', '--home', place.home], wrapper: noCwd });
  mkdirSync(gone);
  const searching = await runProduct({ args: ['status'], wrapper: noCwd });
  const closed = await exitWith(place, 'exec "$@" >&-');
  const full = await exitWith(place, 'exec "$@" >/dev/full');
  const broken = await exitWith(place, '"$@" | true; exit "${PIPESTATUS[0]}"');
  return [
    ...[bare, absolute, searching].flatMap((run) => misbehaviour(run)),
    ...(bare.exitCode === 0 ? [] : [`with an empty environment: ${endingOf(bare)}`]),
    ...(absolute.exitCode === 0 || absolute.exitCode === 66
      ? []
      : [`without a working directory: ${endingOf(absolute)}`]),
    ...(searching.exitCode === 66 ? [] : [`searching without a working directory: ${endingOf(searching)}`]),
    ...([0, 74].includes(closed) ? [] : [`with a closed output: exit ${closed}`]),
    ...(full === 74 ? [] : [`with a full output: exit ${full}`]),
    ...([0, 74].includes(broken) ? [] : [`into a pipe that nobody reads: exit ${broken}`]),
  ];
}

/** Exit code of `sbi list` started by a line of bash. */
async function exitWith(place: Place, script: string): Promise<number> {
  const args = [process.execPath, launcher, 'sbi', 'list', '--home', place.home];
  const child = spawn('bash', ['-c', script, 'bash', ...args], {
    env: childEnvironment({}),
    stdio: 'ignore',
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? -1;
}

const endings = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** Stops re-runs and exports at several moments. */
async function signals(place: Place): Promise<string[]> {
  const bad: string[] = [];
  const names = Object.keys(endings) as (keyof typeof endings)[];
  for (const [at, afterMs] of [60, 150, 250, 350, 450, 600].entries()) {
    const name = names[at % names.length]!;
    place.put(sbiPath(1, 'changed.md'), `${at}\n`);
    const args = at % 2 === 0 ? ['migrate'] : ['export', '--output', `${place.output}-${at}`];
    const child = startProduct({ args: [...args, '--home', place.home] });
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    child.kill(name);
    if (at > 3) child.kill(name);
    const run = endOf(await child);
    // Before the program runs the signal ends the process, and twice at once it does too.
    const isEnd = [0, endings[name]].includes(run.exitCode ?? -1) || run.signal === name;
    if (!isEnd) bad.push(`${args[0]} and ${name} after ${afterMs} ms: ${endingOf(run)}`);
    if (run.exitCode === endings[name])
      bad.push(...leftovers(place, `${args[0]} and ${name} after ${afterMs} ms`));
  }
  const done = await runProduct({ args: ['migrate', '--home', place.home] });
  if (done.exitCode !== 0) bad.push(`the run after them: ${endingOf(done)}`);
  const out = await runProduct({
    args: ['export', '--output', `${place.output}-last`, '--home', place.home],
  });
  if (out.exitCode !== 0) bad.push(`the export after them: ${endingOf(out)}`);
  return [...bad, ...leftovers(place, 'after all')];
}

function leftovers(place: Place, when: string): string[] {
  const runs = join(place.home, '.storage/runs');
  const found = [
    ...(existsSync(runs) ? readdirSync(runs) : []),
    ...readdirSync(place.directory).filter((name) => name.startsWith('.deespec-export')),
  ];
  return found.length === 0 ? [] : [`${when}: ${found.join(' ')} is left`];
}
