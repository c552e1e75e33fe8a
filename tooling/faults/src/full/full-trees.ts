import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { settle, type FaultTally } from '../faulted-run.js';
import type { Operation } from '../operation.js';
import { eachInParallel } from '../parallel.js';
import { copyPlace } from '../place.js';
import { makeTemplate, type Template } from '../points.js';
import { endingOf, misbehaviour, runProduct, type ProductRun } from '../product.js';
import type { SuiteContext } from '../suite.js';
import { eachOperation } from '../sweep.js';
import { amountsOfRoom, type Room } from './cases.js';
import { mountSmallDisk } from './tmpfs.js';

/** Amounts of room for each operation, by share. */
const AMOUNTS = { ci: 2, full: 16 } as const;

/** Operations that write into the tree in the CI share. */
const CI_TREES = 4;

/** What a command that writes into the tree may say when there is no room, in the middle too. */
const honest = ['FILE.NO_SPACE', 'PREFLIGHT.NO_SPACE', 'FILE.OUTCOME_UNKNOWN'];

/** What writes into the tree, on a disk that is full from the start or in the middle; then with room. */
export async function fillTrees(context: SuiteContext, tally: FaultTally): Promise<void> {
  await eachOperation(context, { most: CI_TREES }, async (operation, slots) => {
    if (!operation.writesTree) return;
    const template = await makeTemplate(context.directory, operation);
    const rooms = amountsOfRoom(AMOUNTS[context.share]);
    await eachInParallel(rooms, slots.length, (room, at) =>
      fill(context, template, { room, worker: slots[at]!, tally }),
    );
    context.say(`  ${operation.name}: ${rooms.length} amounts of room, ${tally.bad.length} bad so far`);
  });
}

interface Filling {
  readonly room: Room;
  readonly worker: number;
  readonly tally: FaultTally;
}

async function fill(
  context: SuiteContext,
  template: Template,
  { room, worker, tally }: Filling,
): Promise<void> {
  const { operation } = template;
  const directory = join(context.directory, `worker-${worker}`);
  mkdirSync(directory, { recursive: true });
  const disk = mountSmallDisk(join(directory, 'disk'));
  try {
    const place = copyPlace(template.place, join(disk.directory, 'place'));
    disk.leaveBytes(room.left);
    const bugs = [...context.bugs, 'space-preflight-skipped' as const];
    const run = await runProduct({ args: operation.args(place), bugs, timeoutMs: 120_000 });
    disk.enlarge();
    const { wrong, left } = await settle(context, template, { place, run });
    const all = [...misbehaviour(run), ...wrongEnd(operation, run), ...wrong];
    const name = `${operation.name} with ${room.left} bytes free`;
    tally.note(
      name,
      all.map((what) => `${what} (${endingOf(run)})`),
      left,
    );
  } finally {
    disk.unmount();
  }
}

function wrongEnd({ exitCode, kind }: Operation, run: ProductRun): string[] {
  if (run.exitCode === exitCode) return [];
  // It says of which paths it failed.
  if (kind.startsWith('sync-') && run.exitCode === 3) return [];
  const isHonest = run.exitCode === 74 && honest.includes(run.document?.error?.code ?? '');
  return isHonest ? [] : ['it does not say that there is no room'];
}
