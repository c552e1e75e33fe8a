import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import { backupOperations } from '../backup/backup-operations.js';
import { cut, mountDisk, onDisk, unmountDisk, type Disk } from '../disk.js';
import { settle } from '../faulted-run.js';
import { copyPlace, type Place } from '../place.js';
import type { Template } from '../points.js';
import { endOf, killStrays, startProduct, type ProductRun } from '../product.js';
import { traced, untilStopped } from '../strace.js';
import type { Suite, SuiteContext } from '../suite.js';
import { sweep, type Visit } from '../sweep.js';
import { describeCall, readTrace, touches, type Call } from '../trace.js';

const sizes = { ciPoints: { job: 1, other: 1 }, ciTrees: 2 };

/**
 * The power goes after a call, and after the command has said that it succeeded. What was not durable then is gone.
 *
 * Source: ext4 with data=ordered on a loop device, shut down without flushing its journal.
 */
export const power: Suite = {
  name: 'power',
  about: 'the power is cut after each call that changes something, and after success was reported',
  needs: ['strace', 'root', 'mount', 'loop'],
  run: (context) =>
    sweep<'end'>(context, { ...sizes, more: ['end'], rare: backupOperations }, (visit) =>
      onDisk(join(context.directory, `disk-${visit.worker}`), (disk) => cutAt(context, visit, disk)),
    ),
};

async function cutAt(
  context: SuiteContext,
  { template, point, tally }: Visit<Call | 'end'>,
  disk: Disk,
): Promise<void> {
  const place = copyPlace(template.place, join(disk.mount, 'place'));
  execFileSync('sync', ['-f', disk.mount]);
  const run =
    point === 'end'
      ? await runToEnd(context, template, place)
      : await runUntil(context, template, { point, place, disk });
  if (run === undefined) {
    tally.missed += 1;
    return;
  }
  if (point === 'end') cut(disk);
  unmountDisk(disk);
  mountDisk(disk);
  const { wrong, left } = await settle(context, template, { place, run });
  const where = point === 'end' ? 'its end' : describeCall(point, template.place.directory);
  tally.note(`${template.operation.name}: power cut after ${where}`, wrong, left);
}

async function runToEnd(
  { bugs }: SuiteContext,
  { operation }: Template,
  place: Place,
): Promise<ProductRun | undefined> {
  const run = endOf(await startProduct({ args: operation.args(place), bugs }));
  return run.exitCode === operation.exitCode ? run : undefined;
}

/** Runs until the product stands still after the point, and cuts the power. `undefined` when another call was hit. */
async function runUntil(
  { bugs }: SuiteContext,
  { operation }: Template,
  { point, place, disk }: { point: Call; place: Place; disk: Disk },
): Promise<ProductRun | undefined> {
  const file = `${place.directory}.trace`.replace('/place.trace', '.trace');
  const injection = { call: point.name, when: String(point.ordinal), fault: 'signal=SIGSTOP' };
  const wrapper = traced(file, [injection], [point.name]);
  const run = startProduct({ args: operation.args(place), bugs, wrapper, timeoutMs: 60_000 });
  const stopped = await untilStopped(file, run);
  const hit = readTrace(file).calls.find(
    ({ name, ordinal }) => name === point.name && ordinal === point.ordinal,
  );
  const isHit = stopped !== undefined && hit !== undefined && touches(hit, place.directory);
  if (isHit) cut(disk);
  else killStrays(place.directory);
  const ended = endOf(await run);
  return isHit ? ended : undefined;
}
