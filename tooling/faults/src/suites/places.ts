import { digestTree } from '@deespec/verifier';
import { appendFileSync, chmodSync } from 'node:fs';
import { join } from 'node:path';

import { makeTree, mustSucceed } from '../operation.js';
import { eachInParallel } from '../parallel.js';
import { copyPlace, hashOf, isCanaryAlive, makePlace, type Place } from '../place.js';
import { placeCases, type PlaceCase, type PlaceCommand } from '../places/cases.js';
import { endingOf, misbehaviour, runProduct, type ProductRun } from '../product.js';
import { residue } from '../state.js';
import type { Bad, Suite, SuiteContext, SuiteReport } from '../suite.js';

export const places: Suite = {
  name: 'places',
  about:
    'trees, databases and targets that may not be written, or are something else: named, unchanged, and mended it works',
  needs: ['root', 'mount'],
  run: (context) => new Places(context).run(),
};

class Places {
  private readonly bad: Bad[] = [];

  constructor(private readonly context: SuiteContext) {}

  async run(): Promise<SuiteReport> {
    const { directory, only, workers } = this.context;
    // Other users must get this far.
    chmodSync(directory, 0o755);
    const fresh = makePlace(join(directory, 'fresh'));
    makeTree(fresh);
    chmodSync(fresh.home, 0o755);
    const migrated = copyPlace(fresh, join(directory, 'migrated'));
    await mustSucceed(migrated, ['migrate', '--home', migrated.home]);
    const changed = copyPlace(migrated, join(directory, 'changed'));
    appendFileSync(join(changed.home, 'knowledge/page.bin'), 'and more');
    const begin = { migrate: fresh, 're-run': changed, verify: migrated, export: migrated, status: migrated };
    const wanted = placeCases.filter(({ command }) => only.length === 0 || only.includes(command));
    await eachInParallel(wanted, workers, async (one, worker) => {
      const place = copyPlace(begin[one.command], join(directory, `worker-${worker}`));
      await this.one(one, place).catch((error: unknown) =>
        this.report(one, [`the suite failed: ${(error as Error).stack}`]),
      );
    });
    const refused = wanted.filter(({ code }) => code !== undefined).length;
    return {
      points: wanted.length,
      bad: this.bad,
      facts: { refused, 'worked all the same': wanted.length - refused },
    };
  }

  private async one(one: PlaceCase, place: Place): Promise<void> {
    const before = await lookAt(place);
    const mend = one.spoil(place);
    let run: ProductRun;
    try {
      run = await this.command(
        one.command,
        { ...place, output: one.output?.(place) ?? place.output },
        one.asUser,
      );
    } finally {
      mend();
    }
    const wrong = [...misbehaviour(run), ...wrongEnd(one, run)];
    const after = await lookAt(place);
    if (after.source !== before.source) wrong.push('the tree changed');
    if (after.database !== before.database && !(one.command === 'verify' && run.exitCode === 0))
      wrong.push('the database changed');
    if (!isCanaryAlive(place)) wrong.push('something was written beside the tree');
    if (run.exitCode !== 0) {
      const next = await this.command(one.command, place);
      if (next.exitCode !== 0) wrong.push(`mended: ${endingOf(next)}`);
    }
    wrong.push(...residue(place).map((name) => `left behind: ${name}`));
    this.report(
      one,
      wrong.map((what) => `${what} (${endingOf(run)})`),
    );
  }

  private command(command: PlaceCommand, place: Place, asUser?: number): Promise<ProductRun> {
    const user =
      asUser === undefined ? [] : ['setpriv', `--reuid=${asUser}`, `--regid=${asUser}`, '--clear-groups'];
    return runProduct({ args: argsOf(command, place), wrapper: user, bugs: this.context.bugs });
  }

  private report({ command, wrong: place }: PlaceCase, wrong: readonly string[]): void {
    for (const what of wrong) this.bad.push({ point: `${command}: ${place}`, what });
  }
}

function argsOf(command: PlaceCommand, { home, output }: Place): readonly string[] {
  if (command === 'export') return ['export', '--format=files', '--output', output, '--home', home];
  if (command === 'verify') return ['verify', '--check-all', '--home', home];
  return [command === 're-run' ? 'migrate' : command, '--home', home];
}

/** What is wrong with how it ended: code, and a path in the message. */
function wrongEnd({ exitCode, code }: PlaceCase, run: ProductRun): string[] {
  const { error } = run.document ?? {};
  const wrong: string[] = [];
  if (run.exitCode !== exitCode || error?.code !== code)
    wrong.push(`expected ${exitCode} ${code ?? 'and no error'}`);
  if (error != null && !error.message.includes('/') && !JSON.stringify(error.details).includes('/'))
    wrong.push('no path is named');
  return wrong;
}

async function lookAt({ home, database }: Place): Promise<{ source: string; database: string | undefined }> {
  return { source: (await digestTree(home)).digest, database: hashOf(database) };
}
