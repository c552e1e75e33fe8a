import { damageTree, generateTree } from '@deespec/trees';
import { digestTree } from '@deespec/verifier';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { eachInParallel } from '../parallel.js';
import { copyPlace, makePlace, type Place } from '../place.js';
import { endingOf, misbehaviour, runProduct, type ProductRun } from '../product.js';
import { bitFlips, pageFaults, randomFrom, type Decay } from '../rot/decay.js';
import { dumpOf, type Dump } from '../rot/dump.js';
import type { Bad, Suite, SuiteContext, SuiteReport } from '../suite.js';

/** Bits that are flipped and pages that are harmed. */
const counts = { ci: { flips: 14, pages: 5 }, full: { flips: 300, pages: 100 } };

/** Exit codes with which `verify` says that something is wrong: differences, damage, not ours or not to be read any more. */
const saysSo = new Set([2, 65, 73, 78]);

/** Single bits and whole pages of a published database decay. */
export const rot: Suite = {
  name: 'rot',
  about: 'bits and pages of a published database decay; verify must say so, export never gives another tree',
  needs: [],
  run: async (context) => {
    const pristine = await makePristine(context.directory);
    const { size } = pristine;
    const random = randomFrom(context.seed);
    const { flips, pages } = counts[context.share];
    const faults = [...bitFlips(size, flips, random), ...pageFaults(size, pages, random)];
    const chosen = faults.filter(({ name }) => context.only.length === 0 || context.only.includes(name));
    const tally = newTally(size);
    const bad: Bad[] = [];
    const places = new Map<number, Place>();
    await eachInParallel(chosen, context.workers, async (decay, worker) => {
      const directory = join(context.directory, `worker-${worker}`);
      if (!places.has(worker)) places.set(worker, copyPlace(pristine.place, directory));
      const seen = await decayed(context, pristine, { decay, place: places.get(worker)! });
      count(tally, seen);
      bad.push(...judge(pristine, seen).map((what) => ({ point: decay.name, what })));
    });
    return report(chosen.length, bad, tally);
  },
};

/** A published database that nothing happened to. */
interface Pristine {
  readonly place: Place;
  readonly bytes: Buffer;
  readonly size: number;
  readonly rows: string;
  /** Digest of the tree. */
  readonly digest: string;
}

/** What was seen of one harmed database. */
interface Seen {
  readonly dump: Dump;
  /** True when a row of a table differs or cannot be read. */
  readonly isChanged: boolean;
  readonly verified: ProductRun;
  readonly exported: ProductRun;
  /** Digest of what an export left; `undefined` when it left nothing. */
  readonly exportedDigest: string | undefined;
}

/** A mixed tree with an attachment of two chunks and with quarantined entries, migrated. */
async function makePristine(directory: string): Promise<Pristine> {
  const place = makePlace(join(directory, 'pristine'));
  generateTree(place.home, { layout: 'mixed', sbis: 40, seed: 1 });
  damageTree(place.home, 'bad-id');
  damageTree(place.home, 'torn-state');
  writeFileSync(
    join(place.home, 'attachment.bin'),
    Buffer.alloc(1_200_000, 'bytes of an attachment, no zeros; '),
  );
  const migrated = await runProduct({
    args: ['migrate', '--quarantine', '--home', place.home],
    timeoutMs: 120_000,
  });
  if (migrated.exitCode !== 3) throw new Error(`migrate: ${endingOf(migrated)}`);
  const bytes = readFileSync(place.database);
  const [{ rows }, { digest }] = await Promise.all([dumpOf(place.database), digestTree(place.home)]);
  return { place, bytes, size: bytes.length, rows, digest };
}

async function decayed(
  { bugs }: SuiteContext,
  pristine: Pristine,
  { decay, place }: { decay: Decay; place: Place },
): Promise<Seen> {
  const bytes = Buffer.from(pristine.bytes);
  decay.apply(bytes);
  for (const end of ['', '-journal', '-wal', '-shm']) rmSync(place.database + end, { force: true });
  rmSync(place.output, { recursive: true, force: true });
  writeFileSync(place.database, bytes, { mode: 0o600 });
  const dump = await dumpOf(place.database);
  // The export first: a verification adds its evidence to the database.
  const exported = await runProduct({
    args: ['export', '--format=files', '--output', place.output, '--home', place.home],
    bugs,
  });
  const exportedDigest = await digestTree(place.output).then(
    ({ digest }) => digest,
    () => undefined,
  );
  const verified = await runProduct({ args: ['verify', '--check-all', '--home', place.home], bugs });
  return { dump, isChanged: dump.rows !== pristine.rows, verified, exported, exportedDigest };
}

/** What must hold, and does not. */
function judge(pristine: Pristine, { isChanged, verified, exported, exportedDigest }: Seen): string[] {
  const wrong = [
    ...misbehaviour(verified).map((what) => `verify: ${what}`),
    ...misbehaviour(exported).map((what) => `export: ${what}`),
  ];
  const isSaid = verified.exitCode !== undefined && saysSo.has(verified.exitCode);
  if (isChanged && !isSaid) wrong.push(`live content changed, and verify ended with ${endingOf(verified)}`);
  if (!isChanged && !isSaid && verified.exitCode !== 0) wrong.push(`verify ended with ${endingOf(verified)}`);
  const isExported = exported.exitCode === 0;
  if (isExported && exportedDigest !== pristine.digest) wrong.push('export gave another tree and exit 0');
  if (!isExported && exportedDigest !== undefined)
    wrong.push(`export left something behind: ${endingOf(exported)}`);
  return wrong;
}

/** How many faults changed live content, and who saw those. */
interface Tally {
  changed: number;
  verify: number;
  quickCheck: number;
  integrityCheck: number;
  refused: number;
  exportEqual: number;
  readonly bytes: number;
}

function newTally(bytes: number): Tally {
  return { changed: 0, verify: 0, quickCheck: 0, integrityCheck: 0, refused: 0, exportEqual: 0, bytes };
}

function count(tally: Tally, { dump, isChanged, verified, exported }: Seen): void {
  if (exported.exitCode === 0) tally.exportEqual += 1;
  if (!isChanged) return;
  tally.changed += 1;
  if (verified.exitCode === 2 || verified.exitCode === 65) tally.verify += 1;
  if (verified.exitCode === 73 || verified.exitCode === 78) tally.refused += 1;
  if (dump.quickCheck !== 'ok') tally.quickCheck += 1;
  if (dump.integrityCheck !== 'ok') tally.integrityCheck += 1;
}

function report(points: number, bad: Bad[], tally: Tally): SuiteReport {
  return {
    points,
    bad,
    facts: {
      'database bytes': tally.bytes,
      'changed live content': tally.changed,
      'of these verify found': tally.verify,
      'refused at open': tally.refused,
      'quick_check alone': tally.quickCheck,
      'integrity_check alone': tally.integrityCheck,
      'exports that succeeded, equal': tally.exportEqual,
    },
  };
}
