import type { Json } from '@deespec/domain';

import { goJson, jsonText } from './json-text.js';
import type { Scribe } from './scribe.js';

/** An SBI of layout B that is being worked on. */
interface Work {
  readonly id: string;
  /** Its directory, relative to the tree. */
  readonly directory: string;
  readonly notes: { readonly impl: string[]; readonly review: string[] };
  /** Latest text of each `<step>_<turn>`: a later run overwrites the files of an earlier one. */
  readonly artifacts: Map<string, string>;
  /** Latest text of each turn. */
  readonly histories: Map<number, string>;
}

/** One turn of a run, and the state it leaves. */
interface Turn {
  readonly turn: number;
  readonly step: 'implement' | 'review' | 'done';
  readonly status: string;
  readonly decision: string;
  readonly attempt: number;
}

/** Writes SBIs of layout B and, at the end, the journal and state file that all of them share. */
export class LayoutB {
  readonly #scribe: Scribe;
  readonly #journal: Buffer[] = [];
  #version = 1;
  #last: { readonly work: Work; readonly turn: Turn } | undefined;
  /** The newest SBI that nobody has worked on. */
  #idle: Work | undefined;

  constructor(scribe: Scribe) {
    this.#scribe = scribe;
  }

  /** Registers one SBI; about a third of them are then worked on, in one or more runs. */
  writeSbi(): void {
    const { random, prose } = this.#scribe;
    const title = prose.title();
    const work = this.register(title, `# ${title}\n\n${prose.text(prose.length(3000))}`);
    if (random.chance(0.245)) this.work(work);
    else this.#idle = work;
  }

  /** One SBI with `content` as its specification, as its one artifact and as an attachment. @returns its directory */
  writeSbiWith(content: Buffer): string {
    const work = this.register(`"Quoted": it's #1 & <more>, ${this.#scribe.prose.title()} 🚀`, content);
    this.pick(work);
    this.play(work, turnsOf(1, false)[0]!);
    this.#scribe.write(`${work.directory}/implement_2.md`, content);
    this.#scribe.write(`${work.directory}/attachments/content.bin`, content);
    return work.directory;
  }

  /** Writes `var/`, the journal first. One SBI stays in work, with a lease that has passed. */
  finish(): void {
    const { clock } = this.#scribe;
    if (this.#idle !== undefined) {
      this.pick(this.#idle);
      this.play(this.#idle, turnsOf(1, false)[0]!);
      this.writeArtifacts(this.#idle);
    }
    this.#scribe.write('var/journal.ndjson', this.#journal);
    this.#scribe.directory('var/txn');
    const last = this.#last;
    const state = {
      version: this.#version,
      current: last?.turn.step ?? 'plan',
      status: last?.turn.status ?? '',
      turn: last?.turn.turn ?? 0,
      ...(last === undefined ? {} : this.inWork(last.work, last.turn)),
      meta: { updated_at: clock.text() },
    };
    this.#scribe.write('var/state.json', jsonText(state, 'go-indented'));
    const health = { ts: clock.text(), turn: state.turn, step: state.current, ok: true, error: '' };
    this.#scribe.write('var/health.json', `${goJson(health)}\n`);
    const metrics = { commit_success: this.#version, commit_failed: 0, schema_version: 1 };
    this.#scribe.write('var/metrics.json', jsonText(metrics, 'go-indented'));
  }

  private register(title: string, spec: string | Buffer): Work {
    const { random, clock } = this.#scribe;
    clock.advance(15_000);
    const id = this.#scribe.newId();
    const slug = random.chance(0.3) ? `_${random.pick(['login-form', 'import', 'データ移行'])}` : '';
    const directory = `specs/sbi/${id}${slug}`;
    this.#scribe.write(`${directory}/spec.md`, spec);
    if (random.chance(0.8)) this.#scribe.write(`${directory}/meta.yml`, newMeta(this.#scribe, id, title));
    else this.#scribe.write(`${directory}/meta.yaml`, oldMeta(this.#scribe, id, title));
    return { id, directory, notes: { impl: [], review: [] }, artifacts: new Map(), histories: new Map() };
  }

  private inWork(work: Work, turn: Turn): { [key: string]: Json } {
    const lease = this.#scribe.clock.textAfter(480_000 + 9 * 3_600_000).replace('Z', '+09:00');
    return {
      ...(turn.step === 'done' ? {} : { wip: work.id, lease_expires_at: lease }),
      inputs: { todo: `Implement task ${work.id}` },
      last_artifacts: { [turn.step]: `.deespec/${work.directory}/${turn.step}_${turn.turn}.md` },
      decision: turn.decision,
      attempt: turn.attempt,
    };
  }

  private work(work: Work): void {
    const { random } = this.#scribe;
    const runs = random.pick([1, 1, 1, 1, 1, 1, 1, 2, 2, 3]);
    for (let run = 1; run <= runs; run += 1) {
      this.pick(work);
      for (const turn of turnsOf(random.int(1, 2), run === runs && random.chance(0.8))) this.play(work, turn);
    }
    this.writeArtifacts(work);
  }

  private pick(work: Work): void {
    const pick = {
      id: work.id,
      por: 999,
      priority: 999,
      spec_path: `.deespec/${work.directory}`,
      task_id: work.id,
      type: 'pick',
    };
    this.append({ artifacts: [pick], decision: 'PENDING', elapsed_ms: 0, error: '', step: 'plan', turn: 1 });
  }

  private play(work: Work, turn: Turn): void {
    const { random, clock, prose } = this.#scribe;
    const elapsedMs = random.int(5, 9000);
    clock.advance(elapsedMs);
    const text = `# ${turn.step} ${turn.turn}\n\n${prose.text(prose.length(2900))}\nDECISION: ${turn.decision}\n`;
    const path = `.deespec/${work.directory}/${turn.step}_${turn.turn}.md`;
    const kind = turn.step === 'implement' ? 'impl' : 'review';
    work.artifacts.set(`${turn.step}_${turn.turn}`, text);
    work.histories.set(turn.turn, text);
    const note = `## Turn ${turn.turn} — ${clock.text()}\n- Step: ${turn.step}\n- Decision: ${turn.decision}\n\n---\n`;
    work.notes[kind].push(note);
    const rollup = { path: `.deespec/${work.directory}/${kind}_notes.md`, type: `${kind}_note_rollup` };
    const { attempt, decision, status, step } = turn;
    const line = { artifacts: [path, rollup], attempt, decision, elapsed_ms: elapsedMs, error: '' };
    this.append({ ...line, status, step, turn: turn.turn });
    this.#last = { work, turn };
  }

  /** One journal line, keys in the order of Go's map encoder, `ts` added. */
  private append(line: { readonly [key: string]: Json }): void {
    const full: { [key: string]: Json } = { ...line, ts: this.#scribe.clock.text() };
    const sorted = Object.fromEntries(
      Object.keys(full)
        .toSorted()
        .map((key) => [key, full[key]!]),
    );
    this.#journal.push(Buffer.from(`${goJson(sorted)}\n`));
    this.#scribe.clock.advance(20);
    this.#scribe.executions += 1;
    this.#version += 1;
  }

  private writeArtifacts(work: Work): void {
    for (const [name, text] of work.artifacts) {
      this.#scribe.write(`${work.directory}/${name}.md`, text);
      this.#scribe.write(`${work.directory}/results/raw_response_${name}.txt`, text);
    }
    for (const [turn, result] of work.histories) {
      const line = { type: 'final', timestamp: this.#scribe.clock.text(), result };
      this.#scribe.write(`${work.directory}/histories/workflow_step_${turn}.jsonl`, `${goJson(line)}\n`);
    }
    this.#scribe.write(`${work.directory}/impl_notes.md`, work.notes.impl.join('\n'));
    if (work.notes.review.length > 0) {
      this.#scribe.write(`${work.directory}/review_notes.md`, work.notes.review.join('\n'));
    }
  }
}

/** Turns of one run after its pick, which is turn 1: implement and review in turn, then `done` when it succeeds. */
function turnsOf(rounds: number, succeeds: boolean): Turn[] {
  const turns: Turn[] = [];
  for (let attempt = 1; attempt <= rounds; attempt += 1) {
    const decision = attempt === 1 ? 'PENDING' : 'NEEDS_CHANGES';
    turns.push({ turn: turns.length + 2, step: 'implement', status: 'WIP', decision, attempt });
    turns.push({ turn: turns.length + 2, step: 'review', status: 'REVIEW', decision: 'PENDING', attempt });
  }
  const end = { turn: turns.length + 2, step: 'done' as const, attempt: rounds };
  if (succeeds) turns.push({ ...end, status: 'DONE', decision: 'SUCCEEDED' });
  else turns.push({ ...end, status: 'REVIEW&WIP', decision: 'FAILED' });
  return turns;
}

function newMeta(scribe: Scribe, id: string, title: string): string {
  const labels = `labels:\n    - backend\n    - batch-${scribe.random.int(1, 9)}\n`;
  const time = scribe.clock.text();
  return `id: ${id}\ntitle: '${title.replaceAll("'", "''")}'\n${labels}created_at: ${time}\nupdated_at: ${time}\n`;
}

function oldMeta(scribe: Scribe, id: string, title: string): string {
  const { random, clock } = scribe;
  const order = `priority: ${random.int(0, 9)}\npor: ${random.int(1, 5)}\n`;
  return `# kept by hand\nid: ${id}\ntitle: ${JSON.stringify(title)}\nlabels: [docs, old]\n${order}depends_on: []\nphase: build\nrole: developer\ncreated_at: ${clock.text()}\n`;
}
