import { watchMemory } from '@deespec/bench';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { endOf, endingOf, misbehaviour, startProduct, type ProductRun } from '../product.js';
import type { BugName } from '../seeded-bugs.js';
import { rawControls } from './human-output.js';
import type { ExpectedFinding, HostileCase, Refusal } from './hostile-case.js';
import { CANARY, listing, Place, shellDigest } from './place.js';

/** How one case ended. */
export interface CaseResult {
  /** The commands with their exit codes, and codes or rules, in short. */
  readonly seen: string;
  /** What must not have happened. */
  readonly bad: readonly string[];
  readonly peakBytes: number;
  readonly slowestMs: number;
}

/** Most resident memory of any command. Source: docs/reliability.md, "Limits". */
const MEMORY_BYTES = 256 * 1_048_576;

/** Runs one case in `directory`, which is empty. */
export async function runCase(
  hostile: HostileCase,
  directory: string,
  bugs: readonly BugName[],
): Promise<CaseResult> {
  const place = new Place(directory);
  const trial = new Trial(hostile, place, bugs);
  try {
    await hostile.prepare?.(place);
    return await trial.run();
  } finally {
    hostile.cleanUp?.(place);
  }
}

/** The commands of one case, and what was seen of them. */
class Trial {
  readonly #bad: string[] = [];
  readonly #seen = new Set<string>();
  readonly #runs: ProductRun[] = [];
  #peakBytes = 0;

  constructor(
    private readonly hostile: HostileCase,
    private readonly place: Place,
    private readonly bugs: readonly BugName[],
  ) {}

  async run(): Promise<CaseResult> {
    const { hostile, place } = this;
    const before = await this.#stateOf(place.home);
    const times = await listing(place.home, 'times');
    const outside = place.outside();
    const stop = hostile.meanwhile?.(place);
    try {
      await this.#expected(before);
    } finally {
      await stop?.();
    }
    if (stop === undefined && times !== (await listing(place.home, 'times')))
      this.#fail('names, modes, sizes or times of the source were changed');
    if (stop === undefined && before !== (await this.#stateOf(place.home)))
      this.#fail('the source was changed');
    if (place.outside() !== outside) this.#fail('something outside of the tree was changed');
    this.#requireTidy();
    for (const wrong of (await hostile.check?.(place, this.#runs)) ?? []) this.#fail(wrong);
    return {
      seen: [...this.#seen].join(', '),
      bad: this.#bad,
      peakBytes: this.#peakBytes,
      slowestMs: Math.max(0, ...this.#runs.map(({ durationMs }) => durationMs)),
    };
  }

  async #expected(before: string): Promise<void> {
    const { expect } = this.hostile;
    switch (expect.verdict) {
      case 'exact':
        this.#findings(
          await this.#command({ name: 'migrate', args: ['migrate'], exit: 0 }),
          [],
          expect.warnings,
        );
        return this.#roundTrip(before);
      case 'quarantine': {
        const refused = await this.#command({
          name: 'migrate',
          args: ['migrate'],
          exit: 65,
          code: 'TREE.INVALID',
        });
        this.#findings(refused, expect.errors, expect.warnings);
        this.#seen.add(rulesOf(expect.errors));
        this.#requireUnpublished();
        this.#findings(
          await this.#command({ name: 'with --quarantine', args: ['migrate', '--quarantine'], exit: 3 }),
          expect.errors,
          expect.warnings,
        );
        return this.#roundTrip(before);
      }
      case 'refuse':
        for (const refusal of expect.refusals) await this.#refused(refusal);
        return;
      case 'not applicable':
    }
  }

  async #refused({ args, exit, code }: Refusal): Promise<void> {
    const given = typeof args === 'function' ? args(this.place) : args;
    const had = existsSync(join(this.place.home, 'deespec.db'));
    const name = given.includes('--quarantine') ? 'migrate --quarantine' : given[0]!;
    await this.#command({ name, args: given, exit, code });
    if (!had) this.#requireUnpublished();
    if (existsSync(this.place.output)) this.#fail('an export was left');
  }

  async #roundTrip(before: string): Promise<void> {
    await this.#command({ name: 'verify', args: ['verify', '--check-all'], exit: 0 });
    await this.#command({ name: 'export', args: ['export', '--output', this.place.output], exit: 0 });
    if (!existsSync(this.place.output)) return;
    const exported = await this.#stateOf(this.place.output);
    if (exported !== before) this.#fail('the export is not the source');
  }

  async #command({ name, args, exit, code }: Command): Promise<ProductRun> {
    const { hostile, place, bugs } = this;
    const child = startProduct({
      args: [...args, '--home', place.home],
      bugs,
      ...(hostile.wrapper === undefined ? {} : { wrapper: hostile.wrapper }),
      timeoutMs: hostile.isHeavy === true ? 600_000 : 30_000,
    });
    const memory = watchMemory(child.pid);
    const run = endOf(await child);
    this.#runs.push(run);
    const ending = run.document?.error?.code;
    this.#seen.add(`${name} ${run.exitCode ?? run.signal}${ending === undefined ? '' : ` ${ending}`}`);
    const expected = `expected exit ${exit} ${code ?? ''}, saw ${endingOf(run)}`;
    const bad = [
      ...misbehaviour(run),
      ...(run.exitCode === exit && ending === code ? [] : [expected]),
      ...this.#memory(memory.stop() ?? 0),
      ...output(run),
    ];
    for (const wrong of bad) this.#fail(`${name}: ${wrong}`);
    return run;
  }

  #memory(bytes: number): string[] {
    this.#peakBytes = Math.max(this.#peakBytes, bytes);
    return bytes > MEMORY_BYTES ? [`${Math.round(bytes / 1_048_576)} MiB of memory`] : [];
  }

  #findings(
    run: ProductRun,
    errors: readonly ExpectedFinding[],
    warnings: readonly ExpectedFinding[] = [],
  ): void {
    const found = (run.document?.data?.['findings'] ?? []) as readonly Reported[];
    this.#compare('error', found, errors);
    this.#compare('warning', found, warnings);
  }

  #compare(severity: string, found: readonly Reported[], expected: readonly ExpectedFinding[]): void {
    const seen = found
      .filter((one) => one.severity === severity)
      .map(({ path = '', rule }) => `${rule} ${path}`);
    const wanted = expected.map(([path, rule]) => `${rule} ${path}`);
    const missing = wanted.filter((one) => !seen.includes(one));
    const surplus = seen.filter((one) => !wanted.includes(one));
    if (missing.length > 0) this.#fail(`no ${severity} ${missing.join('; ')}`);
    if (surplus.length > 0) this.#fail(`unexpected ${severity} ${[...new Set(surplus)].join('; ')}`);
  }

  #requireUnpublished(): void {
    if (existsSync(join(this.place.home, 'deespec.db'))) this.#fail('a database was published');
  }

  /** Nothing of a run that has ended stays. */
  #requireTidy(): void {
    for (const name of ['runs', 'processes']) {
      const path = join(this.place.home, '.storage', name);
      if (existsSync(path) && readdirSync(path).length > 0) this.#fail(`.storage/${name} is not empty`);
    }
    const left = readdirSync(this.place.directory).filter((name) => name.startsWith('.deespec-export'));
    if (left.length > 0) this.#fail(`${left.join(' ')} is left of an export`);
    const database = join(this.place.home, 'deespec.db');
    if (this.hostile.compare !== 'listing' && existsSync(database) && readFileSync(database).includes(CANARY))
      this.#fail('the database holds what stands outside of the tree');
  }

  #stateOf(directory: string): Promise<string> {
    return this.hostile.compare === 'listing' ? listing(directory) : shellDigest(directory);
  }

  #fail(what: string): void {
    this.#bad.push(what);
  }
}

/** A command, and how it must end. */
interface Command {
  readonly name: string;
  readonly args: readonly string[];
  readonly exit: number;
  readonly code?: string;
}

interface Reported {
  readonly severity: string;
  /** Absent: the finding is on rows. */
  readonly path?: string;
  readonly rule: string;
}

/** What no output may hold. */
function output({ stdout, stderr }: ProductRun): string[] {
  const text = stdout.toString();
  const isLeaked = text.includes(CANARY) || stderr.includes(CANARY);
  return [
    ...rawControls(text),
    ...rawControls(stderr),
    ...(isLeaked ? ['the output holds what stands outside of the tree'] : []),
  ];
}

function rulesOf(findings: readonly ExpectedFinding[]): string {
  return [...new Set(findings.map(([, rule]) => rule))].join(' ');
}
