// A process of its own that works on a tree as the Go tool does, and knows nothing of us.
import { Random } from '@deespec/trees';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { contentOf } from '../writers/content.js';
import { GO_STATE, GoFiles, versionOf } from './go-files.js';

/** What it is started with. */
export interface GoWriterOptions {
  readonly home: string;
  readonly ledger: string;
  readonly seed: number;
  /** Writes after which it ends. */
  readonly writes: number;
  /** An item that others change too: its `meta.yml` is replaced now and then. */
  readonly contested: string;
}

const { home, ledger, seed, writes, contested } = JSON.parse(process.argv[2]!) as GoWriterOptions;
const random = new Random(seed);
const files = new GoFiles(home, ledger);
let isPaused = false;
let isWanted = true;
process.on('message', (message: { readonly pause?: boolean; readonly stop?: boolean }) => {
  if (message.stop === true) isWanted = false;
  isPaused = message.pause === true;
});

/** Between two pieces: another process may come in between. Blocks, as a slow disk would. */
function between(): void {
  if (random.chance(0.3)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, random.int(0, 4));
}

function register(): string {
  const id = `SBI-${random.ulid(Date.now())}`;
  files.replace(`specs/sbi/${id}/spec.md`, contentOf(`spec of ${id}`));
  const now = new Date().toISOString();
  const meta = `id: ${id}\ntitle: Foreign\nlabels: []\ncreated_at: ${now}\nupdated_at: ${now}\n`;
  files.replace(`specs/sbi/${id}/meta.yml`, Buffer.from(meta));
  return id;
}

/** Whatever `meta.yml` says now, with another note: what an editor does. */
function contest(): void {
  const path = `specs/sbi/${contested}/meta.yml`;
  const file = join(home, path);
  if (!existsSync(file)) return;
  const kept = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('note:'));
  files.replace(path, Buffer.from(`${kept.join('\n')}\nnote: foreign ${files.writes}\n`));
}

function version(): number {
  const file = join(home, GO_STATE);
  return existsSync(file) ? versionOf(readFileSync(file)) : 0;
}

function state(id: string, { turn, status }: { turn: number; status: string }): Buffer {
  const lease = status === 'DONE' ? '' : new Date(Date.now() + 60_000).toISOString();
  const value = {
    version: version() + 1,
    current: 'implement',
    status,
    turn,
    wip: status === 'DONE' ? '' : id,
  };
  return Buffer.from(JSON.stringify({ ...value, lease_expires_at: lease }, null, 2));
}

function line(fields: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({
    ...fields,
    elapsed_ms: files.writes,
    error: 'foreign',
    ts: new Date().toISOString(),
  });
}

function pick(id: string): void {
  const spec = `.deespec/specs/sbi/${id}`;
  const artifacts = [{ id, por: 999, priority: 999, spec_path: spec, task_id: id, type: 'pick' }];
  files.append(
    line({ artifacts, attempt: 1, decision: 'PENDING', step: 'plan', turn: 1, status: 'READY' }),
    between,
  );
  files.replaceState(state(id, { turn: 1, status: 'READY' }));
}

function turn(id: string, number: number): void {
  const step = number % 2 === 0 ? 'implement' : 'review';
  const directory = `specs/sbi/${id}`;
  const token = `${id} ${step} ${number}`;
  const history = JSON.stringify({ type: 'final', result: token });
  files.overwrite(
    `${directory}/histories/workflow_step_${number}.jsonl`,
    Buffer.from(`${history}\n`),
    between,
  );
  files.overwrite(
    `${directory}/results/raw_response_${step}_${number}.txt`,
    contentOf(`raw ${token}`),
    between,
  );
  files.replace(`${directory}/impl_notes.md`, contentOf(`notes ${token}`));
  const artifact = `${directory}/${step}_${number}.md`;
  files.overwrite(artifact, contentOf(`early ${token}`), between);
  files.overwrite(artifact, contentOf(token), between);
  files.overwrite('var/health.json', Buffer.from(`{"turn":${number},"step":"${step}","ok":true}`), between);
  const status = number >= 5 ? 'DONE' : 'REVIEW';
  files.commitState(state(id, { turn: number, status }));
  files.append(
    line({
      artifacts: [`.deespec/${artifact}`],
      attempt: 1,
      decision: 'SUCCEEDED',
      step,
      turn: number,
      status,
    }),
    between,
  );
  files.endTransaction();
  files.rewrite('var/metrics.json', Buffer.from(`{\n  "commit_success": ${files.writes}\n}`));
}

/** Pauses when it is asked to, with nothing in work: what the tool has begun keeps others from migrating the tree. */
async function rest(): Promise<void> {
  while (isPaused && isWanted) {
    process.send?.({ paused: true });
    await sleep(20);
  }
}

/** Lets go of everything between two steps, as each `run --once` does. */
async function step(work: () => void): Promise<void> {
  while (isWanted && !files.lock(process.pid)) await sleep(20);
  if (!isWanted) return;
  work();
  files.unlock();
  process.send?.({ writes: files.writes });
  await sleep(random.int(0, 20));
}

while (isWanted && files.writes < writes) {
  let id = '';
  await rest();
  await step(() => (id = register()));
  await step(() => pick(id));
  for (const number of [2, 3, 4, 5]) await step(() => turn(id, number));
  await step(() => contest());
}
process.disconnect?.();
