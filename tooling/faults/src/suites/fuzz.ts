import { fork } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { makeMutant } from '../fuzz/mutant.js';
import type { FromWorker, WorkerOrder } from '../fuzz/worker-messages.js';
import { bugEnvironment } from '../seeded-bugs.js';
import { childEnvironment } from '../settings.js';
import type { Bad, Suite, SuiteContext, SuiteReport } from '../suite.js';

/** Mutants of each share. */
const MUTANTS = { ci: 2_000, full: 100_000 } as const;

/** Every how many-th mutant goes through a whole migration. */
const WHOLE_EVERY = 50;

/** Processor time after which a mutant counts as hanging: a start and a whole migration take about two. Seconds. */
const HANG_CPU_S = 15;

/** Time after which a worker that waits for something counts as hanging: a busy machine is slow. Seconds. */
const HANG_WALL_S = 300;

/** Memory of a worker's JavaScript heap. MiB. */
const HEAP_MIB = 512;

const worker = fileURLToPath(new URL('../fuzz/worker.js', import.meta.url));

/** Mutates the contents and names of a small tree: whatever it is made to, it is interpreted or kept, never fatal. */
export const fuzz: Suite = {
  name: 'fuzz',
  about: 'mutates contents and names of a small tree; whatever comes out is interpreted or kept, never fatal',
  needs: [],
  run: async (context) => {
    const tally = new Tally(context);
    const started = performance.now();
    const mutants = MUTANTS[context.share];
    const step = context.workers;
    await Promise.all(
      Array.from({ length: step }, (_, slot) => runSlot(context, tally, { from: slot, to: mutants, step })),
    );
    return tally.report((performance.now() - started) / 1000);
  },
};

type Share = Pick<WorkerOrder, 'from' | 'to' | 'step'>;

/** Runs the mutants of one slot; a worker that dies or hangs is replaced by one that begins after the mutant it died of. */
async function runSlot(context: SuiteContext, tally: Tally, share: Share): Promise<void> {
  let { from } = share;
  while (from < share.to) {
    const { died, at } = await runWorker(context, tally, { ...share, from });
    if (died === undefined) return;
    tally.fail(at, died);
    from = at + share.step;
  }
}

/** How a worker ended: `died` says of what when it did not finish, `at` with which mutant. */
interface End {
  readonly died: string | undefined;
  readonly at: number;
}

function runWorker(context: SuiteContext, tally: Tally, share: Share): Promise<End> {
  const { seed, bugs } = context;
  const directory = join(context.directory, `slot-${share.from % share.step}`);
  const child = fork(worker, {
    env: childEnvironment(bugEnvironment(bugs)),
    execArgv: [`--max-old-space-size=${HEAP_MIB}`],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const order: WorkerOrder = { seed, ...share, wholeEvery: WHOLE_EVERY, directory };
  return new Promise((resolve, reject) => {
    let at = share.from;
    let errors = '';
    let started = clock(child.pid);
    let hung: string | undefined;
    const watchdog = setInterval(() => {
      const now = clock(child.pid);
      const [cpu, wall] = [now.cpuS - started.cpuS, now.wallS - started.wallS];
      if (cpu < HANG_CPU_S && wall < HANG_WALL_S) return;
      hung = `hung: ${Math.round(cpu)} s of processor time in ${Math.round(wall)} s`;
      child.kill('SIGKILL');
    }, 1_000);
    child.stderr!.on('data', (text: Buffer) => void (errors = `${errors}${text.toString()}`.slice(-2_000)));
    child.on('message', (message: FromWorker) => {
      started = clock(child.pid);
      at = message.index;
      if (message.kind === 'end') tally.add(message);
    });
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      clearInterval(watchdog);
      const how = hung ?? `ended its process: ${signal ?? `exit ${code}`}`;
      resolve({ died: code === 0 ? undefined : `${how} ${errors.trim()}`.trim(), at });
    });
    child.send(order);
  });
}

/** What a process has used of the processor so far, and the time of day. Seconds; Linux counts in hundredths. */
function clock(pid: number | undefined): { cpuS: number; wallS: number } {
  const wallS = performance.now() / 1000;
  try {
    // After the name, which may hold anything: state is field 3, user and system time are fields 14 and 15 of proc(5).
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /su, '')
      .split(' ');
    return { cpuS: (Number(fields[11]) + Number(fields[12])) / 100, wallS };
  } catch {
    return { cpuS: 0, wallS }; // it has just ended, which its exit event tells
  }
}

/** Failing mutants that are written to files. */
const WRITTEN = 50;

/** Collects what the workers report. */
class Tally {
  private readonly bad: Bad[] = [];
  private mutants = 0;
  private withQuarantine = 0;
  private whole = 0;
  private refused = 0;
  private slowest = { cpuMs: 0, index: 0 };

  constructor(private readonly context: SuiteContext) {}

  add(end: Extract<FromWorker, { kind: 'end' }>): void {
    this.mutants += 1;
    if (end.quarantined > 0) this.withQuarantine += 1;
    if (end.whole !== 'no') this.whole += 1;
    if (end.whole === 'refused') this.refused += 1;
    if (end.cpuMs > this.slowest.cpuMs) this.slowest = end;
    if (end.wrong.length > 0) this.note(end.index, end.wrong.slice(0, 3).join('; '));
    if (this.mutants % 5_000 === 0)
      this.context.say(`  ${this.mutants} mutants, ${this.bad.length} bad so far`);
  }

  /** Counts a mutant that ended its worker. */
  fail(index: number, what: string): void {
    this.mutants += 1;
    this.note(index, what);
  }

  private note(index: number, what: string): void {
    const { seed } = this.context;
    const { tree, how } = makeMutant(seed, index);
    const file = join(tmpdir(), `deespec-fuzz-${seed}-${index}.json`);
    if (this.bad.length < WRITTEN) {
      const entries = [...tree.values()].map(({ path, kind, bytes }) => ({
        path,
        kind,
        base64: bytes.toString('base64'),
      }));
      writeFileSync(file, `${JSON.stringify({ seed, index, how, what, entries }, null, 1)}\n`, {
        mode: 0o600,
      });
    }
    const where = this.bad.length < WRITTEN ? `; the tree is in ${file}` : '';
    this.bad.push({ point: `seed ${seed}, mutant ${index}: ${how}`, what: `${what}${where}` });
  }

  report(seconds: number): SuiteReport {
    return {
      points: this.mutants,
      bad: this.bad,
      facts: {
        seed: this.context.seed,
        'with quarantine': this.withQuarantine,
        'whole migrations': this.whole,
        'of those refused': this.refused,
        'mutants per second': Math.round(this.mutants / seconds),
        'slowest derivation ms': `${Math.round(this.slowest.cpuMs)} (mutant ${this.slowest.index})`,
      },
    };
  }
}
