import { createHash } from 'node:crypto';

import type { Json, JsonObject } from '@deespec/domain';

import { jsonStyles, jsonText } from './json-text.js';
import type { Scribe } from './scribe.js';

const labels = ['backend', 'frontend', 'docs', 'backend,urgent', 'infra,データ'] as const;

/** One artifact of an SBI: `<step>_<turn>.md`. */
interface Step {
  readonly name: string;
  readonly turn: number;
  readonly decision: 'SUCCEEDED' | 'NEEDS_CHANGES' | undefined;
}

/** Writes the settings of layout A. Keys differ from layout B's workflow, so that a mixed tree has no key twice. */
export function writeFurnitureA(scribe: Scribe): void {
  scribe.write(
    'workflow.json',
    jsonText({ max_turns: 8, turn_order: ['implement', 'test', 'review', 'done'] }, 'indented'),
  );
}

/** Writes one SBI of layout A at a random point of its life, sometimes with journal transactions. */
export function writeSbiA(scribe: Scribe): void {
  const { random, clock, prose } = scribe;
  clock.advance(30_000);
  const id = scribe.newId();
  const directory = `specs/sbi/${id}`;
  const createdAt = clock.text();
  const title = prose.title();
  scribe.write(`${directory}/spec.md`, `# ${title}\n\n${prose.text(prose.length(2400))}`);
  const steps = random.chance(0.3) ? [] : randomSteps(scribe);
  for (const step of steps) {
    clock.advance(10_000);
    const artifact = `${directory}/${step.name}_${step.turn}.md`;
    const text = stepText(scribe, step);
    scribe.write(artifact, text);
    if (random.chance(0.05)) writeTransaction(scribe, artifact, text);
  }
  const state = { ...stateOf(steps), id, task_id: id, ...head(scribe, title), created_at: createdAt };
  const finished = state.status === 'DONE' ? { completed_at: clock.text() } : {};
  const json = {
    ...state,
    updated_at: clock.text(),
    ...finished,
    last_artifacts: artifactsOf(directory, steps),
  };
  scribe.write(`${directory}/state.json`, jsonText(json, random.pick(jsonStyles)));
  scribe.executions += steps.length;
}

/**
 * One SBI with `content` as its specification, as its one artifact and as an attachment, and with keys in its state that
 * no parser may lose or obey. @returns its directory
 */
export function writeSbiWithA(scribe: Scribe, content: Buffer): string {
  scribe.clock.advance(30_000);
  const id = scribe.newId();
  const directory = `specs/sbi/${id}`;
  scribe.write(`${directory}/spec.md`, content);
  scribe.write(`${directory}/implement_1.md`, content);
  scribe.write(`${directory}/attachments/content.bin`, content);
  scribe.write(`${directory}/state.json`, awkwardState(scribe, id));
  scribe.executions += 1;
  return directory;
}

function awkwardState(scribe: Scribe, id: string): string {
  const time = scribe.clock.text().replace('Z', '+00:00');
  return `{ "id": "${id}", "status": "WIP","current":"implement",  "turn": 1, "attempt" : 1,
\t"priority": 3, "label": "", "decision": "PENDING",
  "created_at": "${time}", "updated_at": "${time}", "completed_at": "0001-01-01T00:00:00Z",
  "big": 9007199254740993, "bigger": 123456789012345678901234567890.125, "tiny": 1e-400, "negative_zero": -0, "one": 1.0,
  "__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}},
  "a.b": 1, "$": 2, "[0]": 3, "quote\\"d": 4, "": 5, "nothing": null, "escaped": "\\u003cb\\u003e \\/ \\u00e9",
  "nested": {"deep": [[[[{"9007199254740993": 9007199254740993}]]]]}
}`;
}

function head(scribe: Scribe, title: string): JsonObject {
  return {
    ...(scribe.random.chance(0.6) ? { label: scribe.random.pick(labels) } : {}),
    priority: scribe.random.int(0, 9),
    inputs: { todo: `Implement <${title}> & test it` },
  };
}

function randomSteps(scribe: Scribe): Step[] {
  const { random } = scribe;
  const steps: Step[] = [];
  const rounds = random.pick([1, 1, 2, 2, 3]);
  const add = (name: string, decision?: Step['decision']): void => {
    steps.push({ name, turn: steps.length + 1, decision });
  };
  for (let round = 1; round <= rounds; round += 1) {
    add('implement');
    if (random.chance(0.3)) add('test');
    if (round === rounds && random.chance(0.2)) return steps;
    add('review', round < rounds ? 'NEEDS_CHANGES' : 'SUCCEEDED');
  }
  if (random.chance(0.75)) add('done', 'SUCCEEDED');
  return steps;
}

function stepText(scribe: Scribe, step: Step): string {
  const text = `# ${step.name} ${step.turn}\n\n${scribe.prose.text(scribe.prose.length(3080))}`;
  return step.decision === undefined ? text : `${text}\nDECISION: ${step.decision}\n`;
}

function stateOf(steps: readonly Step[]): JsonObject & { readonly status: string } {
  const last = steps.at(-1);
  if (last === undefined) return { version: 1, status: 'READY', current: 'plan', turn: 0, attempt: 0 };
  const status = last.name === 'done' ? 'DONE' : last.name === 'review' ? 'REVIEW' : 'WIP';
  const attempt = steps.filter((step) => step.name === 'implement').length;
  return {
    version: steps.length + 1,
    status,
    current: last.name,
    turn: last.turn,
    attempt,
    decision: last.decision ?? 'PENDING',
  };
}

function artifactsOf(directory: string, steps: readonly Step[]): Json {
  return Object.fromEntries(
    steps.map((step) => [step.name, `.deespec/${directory}/${step.name}_${step.turn}.md`]),
  );
}

function writeTransaction(scribe: Scribe, destination: string, text: string): void {
  const { random, clock } = scribe;
  const txid = random.ulid(clock.nowMs);
  const directory = `journal/${clock.day()}/${txid}`;
  const checksum = createHash('sha256').update(text).digest('hex');
  const manifest = {
    id: txid,
    description: `write ${destination}`,
    files: [{ type: 'create', destination, checksum, size: Buffer.byteLength(text), mode: 420 }],
    created_at: clock.text(),
    meta: { user: random.pick(['alice', 'bob']), session_id: `session-${random.int(1, 99)}` },
  };
  scribe.write(`${directory}/manifest.json`, jsonText(manifest, 'go-indented'));
  const intent = {
    txn_id: txid,
    marked_at: clock.text(),
    checksums: { [destination]: checksum },
    ready: true,
  };
  scribe.write(`${directory}/status.intent`, jsonText(intent, 'go-indented'));
  const commit = { txn_id: txid, committed_at: clock.text(), committed_files: [destination], success: true };
  scribe.write(`${directory}/status.commit`, jsonText(commit, 'go-indented'));
  scribe.directory(`${directory}/stage`);
  scribe.directory(`${directory}/undo`);
}
