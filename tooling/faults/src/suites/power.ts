import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { cutPower, runs } from '../capabilities.js';
import { settle } from '../faulted-run.js';
import { copyPlace, type Place } from '../place.js';
import type { Template } from '../points.js';
import { endOf, killStrays, startProduct, type ProductRun } from '../product.js';
import { traced, untilStopped } from '../strace.js';
import type { Suite, SuiteContext } from '../suite.js';
import { sweep, type Visit } from '../sweep.js';
import { describeCall, readTrace, touches, type Call } from '../trace.js';

/** The file system of a worker: room for the tree, its database and what the preflight wants free. */
const IMAGE_SIZE = '64M';

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
    sweep<'end'>(context, { ciPoints: { job: 1, tree: 1 }, ciTrees: 4, more: ['end'] }, (visit) =>
      onDisk(join(context.directory, `disk-${visit.worker}`), (disk) => cutAt(context, visit, disk)),
    ),
};

/** A file system in a file. */
interface Disk {
  readonly image: string;
  /** Where it is mounted. */
  readonly mount: string;
}

/** Makes a fresh file system, runs `work` with it mounted, and takes it away. */
async function onDisk(directory: string, work: (disk: Disk) => Promise<void>): Promise<void> {
  const disk = { image: `${directory}.image`, mount: directory };
  mkdirSync(disk.mount, { recursive: true });
  execFileSync('truncate', ['-s', IMAGE_SIZE, disk.image]);
  execFileSync('mkfs.ext4', ['-qF', disk.image]);
  mountDisk(disk);
  try {
    await work(disk);
  } finally {
    killStrays(disk.mount);
    unmountDisk(disk);
    rmSync(disk.image);
  }
}

function mountDisk({ image, mount }: Disk): void {
  execFileSync('mount', ['-o', 'loop', image, mount]);
}

function unmountDisk({ mount }: Disk): void {
  // A process that was just killed holds its files for a moment longer.
  for (let attempt = 1; attempt < 50; attempt += 1) {
    if (runs('umount', [mount])) return;
    execFileSync('sleep', ['0.1']);
  }
  execFileSync('umount', ['-l', mount]);
}

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

/** Takes the power from a disk, and ends who worked on it. */
function cut({ mount }: Disk): void {
  if (!cutPower(mount)) throw new Error(`${mount} cannot be shut down`);
  killStrays(mount);
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
