import type { StorageMode } from '@deespec/domain';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { digestTree } from '@deespec/verifier';
import type { Capability } from '../capabilities.js';
import { makePlace, type Place } from '../place.js';
import { endingOf, runProduct } from '../product.js';
import type { BugName } from '../seeded-bugs.js';
import { Proofs } from '../writers/check-tree.js';
import { makeShared } from '../writers/shared-items.js';
import { ITEM } from './cases.js';
import { LiveService } from './live-service.js';

/** A process that is asleep while others change the mode. */
export interface SleeperCase {
  readonly name: string;
  readonly needs: readonly Capability[];
  run(at: {
    readonly directory: string;
    readonly bugs: readonly BugName[];
  }): Promise<{ readonly wrong: readonly string[]; readonly fact: string }>;
}

/** Modes that it sleeps through; the last is the one in which it wakes up. */
const journeys: readonly (readonly [from: StorageMode, ...through: StorageMode[]])[] = [
  ['dual_write', 'sqlite', 'file'],
  ['dual_write', 'sqlite'],
  ['sqlite', 'dual_write'],
  ['sqlite', 'file', 'dual_write'],
];

/** Every journey. */
export const sleeperCases: readonly SleeperCase[] = journeys.map(([from, ...through]) => ({
  name: `asleep ${[from, ...through].join('-')}`,
  needs: [],
  run: async ({ directory, bugs }) => {
    const place = makePlace(join(directory, 'place'));
    await makeShared(place, 'document', from);
    const service = new LiveService(place, 'sleeper', bugs);
    await service.ready();
    await service.write(ITEM, 'before');
    await settle(place, bugs);
    service.program.signal('SIGSTOP');
    // It lies in the channel until the process wakes up.
    const ask = service.ask(ITEM, 'after');
    const wrong: string[] = [];
    for (const mode of through) wrong.push(...(await changeMode(place, mode, bugs)));
    const asleep = await digestTree(place.home);
    service.program.signal('SIGCONT');
    const { outcome, tookMs, mode } = await service.answer(ask);
    if (outcome !== 'ok') wrong.push(`the caller was told ${outcome}`);
    if (mode !== through.at(-1)) wrong.push(`it wrote in mode ${mode}`);
    await service.stop();
    wrong.push(...(await wrongAfter(place, { mode: through.at(-1)!, asleep: asleep.digest, bugs })));
    return { wrong, fact: `woke up in ${mode}, ${tookMs} ms` };
  },
}));

/** Waits until the service has nothing to do: one that is stopped while it pays a debt keeps the mode from changing, by right. */
async function settle(place: Place, bugs: readonly BugName[]): Promise<void> {
  for (let debt: unknown; debt !== 0;) {
    const { document } = await runProduct({ args: ['status', '--home', place.home], bugs });
    debt = (document?.data?.['debt'] as { readonly count?: number } | undefined)?.count ?? 0;
  }
  await sleep(2_000);
}

/** A mode is changed although a process of ours sleeps: it holds nothing meanwhile. */
async function changeMode(place: Place, mode: StorageMode, bugs: readonly BugName[]): Promise<string[]> {
  // Out of mode file, a database is brought up to date first.
  const migrated = await runProduct({ args: ['status', '--home', place.home], bugs });
  const commands = [['mode', 'set', mode]];
  if (migrated.document?.data?.['mode'] === 'file') commands.unshift(['migrate']);
  const wrong: string[] = [];
  for (const args of commands) {
    const run = await runProduct({ args: [...args, '--home', place.home], bugs, timeoutMs: 120_000 });
    if (run.exitCode !== 0) wrong.push(`${args.join(' ')}: ${endingOf(run)}`);
  }
  return wrong;
}

async function wrongAfter(
  place: Place,
  { mode, asleep, bugs }: { mode: StorageMode; asleep: string; bugs: readonly BugName[] },
): Promise<string[]> {
  const wrong: string[] = [];
  const proofs = new Proofs(place, bugs);
  const database = mode === 'file' ? readDatabase(place) : undefined;
  wrong.push(...(await proofs.all(mode)));
  if (database !== undefined && database.includes('"after"'))
    wrong.push('mode file, and it wrote to the database');
  const { document } = await proofs.succeed(['sbi', 'show', ITEM]);
  if (!JSON.stringify(document).includes('"after"')) wrong.push('its write is not there');
  if ((await proofs.conflicts()).length > 0) wrong.push('it made a conflict');
  const state = readFileSync(join(place.home, 'specs/sbi', ITEM, 'state.json'), 'utf8');
  if (!state.includes('"after"')) wrong.push('its write is not in the files');
  if ((await digestTree(place.home)).digest === asleep) wrong.push('nothing changed when it woke up');
  return wrong;
}

/** The bytes of the database, which no process has open. */
function readDatabase({ database }: Place): string {
  return readFileSync(database, 'latin1');
}
