import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostileTexts } from './hostile-texts.js';

/** Ids of the SBIs that the story is about. */
export const story = {
  /** Failed today, in its second run, and says why. */
  payment: 'SBI-01K6FRP24VXAE1C24TYMZ95G6S',
  /** Thousands of turns. */
  long: 'SBI-01K6FRP24VXAE1C24TYMZ95G7A',
  /** Everything in it is hostile. */
  hostile: 'SBI-01K6FRP24VXAE1C24TYMZ95G7B',
} as const;

interface Line {
  readonly id: string;
  readonly at: number;
  readonly turn: number;
  readonly step: string;
  readonly decision: string;
  readonly status: string;
  readonly elapsedMs: number;
  readonly error?: string;
  readonly content?: string;
}

interface Item {
  readonly title: string;
  readonly spec: string;
  readonly labels: readonly string[];
  readonly updatedAt: number;
}

const time = (ms: number) => new Date(ms).toISOString();

function directoryOf(id: string): string {
  return `specs/sbi/${id}`;
}

/** Writes SBIs as the workflow tool leaves them: a directory each, and lines in the journal that all of them share. */
class Teller {
  readonly #home: string;

  constructor(home: string) {
    this.#home = home;
    mkdirSync(join(home, 'var'), { recursive: true });
  }

  item(id: string, { title, spec, labels, updatedAt }: Item): void {
    const directory = join(this.#home, directoryOf(id));
    mkdirSync(join(directory, 'attachments'), { recursive: true });
    writeFileSync(join(directory, 'spec.md'), spec);
    const meta = { id, title, labels, created_at: '2025-10-01T09:00:00Z', updated_at: time(updatedAt) };
    const lines = Object.entries(meta).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
    writeFileSync(join(directory, 'meta.yml'), `${lines.join('\n')}\n`);
  }

  pick(id: string, at: number): void {
    const artifact = { type: 'pick', id, task_id: id, spec_path: `.deespec/${directoryOf(id)}/spec.md` };
    this.append({
      ts: time(at),
      turn: 1,
      step: 'plan',
      decision: 'OK',
      elapsed_ms: 5,
      error: '',
      artifacts: [artifact],
    });
  }

  step(line: Line): void {
    const file = `${directoryOf(line.id)}/${line.step}_${line.turn}.md`;
    writeFileSync(
      join(this.#home, file),
      line.content ?? `# ${line.step} ${line.turn}\n\nDECISION: ${line.decision}\n`,
    );
    const { at, turn, step, decision, status, elapsedMs, error = '' } = line;
    this.append({
      ...{ ts: time(at), turn, step, decision, elapsed_ms: elapsedMs, error, status, attempt: 1 },
      artifacts: [`.deespec/${file}`],
    });
  }

  private append(line: Record<string, unknown>): void {
    appendFileSync(join(this.#home, 'var', 'journal.ndjson'), `${JSON.stringify(line)}\n`);
  }
}

const hour = 3_600_000;

function review(turn: number, problem: string): string {
  return `# Review of turn ${turn}

## What was looked at

The importer, its tests, the change log.

## Problems

1. ${problem}
2. The retry has no limit.

| file | lines |
| --- | ---: |
| \`import.ts\` | ${40 + turn} |

\`\`\`ts
export function retry(times: number): number {
  return times + ${turn};
}
\`\`\`

DECISION: NEEDS_CHANGES
`;
}

function tellPayment(teller: Teller, now: number): void {
  const id = story.payment;
  const spec =
    '# Payment import\n\n## Goal\n\nImport payments of the bank every night.\n\n## Done when\n\n- [x] a file is read\n- [ ] a broken file is named\n';
  teller.item(id, {
    title: 'Payment import: read the bank file every night',
    spec,
    labels: ['payments', 'backend'],
    updatedAt: now - hour,
  });
  const first = now - 60 * hour;
  teller.pick(id, first);
  const base = { id, status: 'WIP', elapsedMs: 420_000 };
  teller.step({ ...base, at: first + 600_000, turn: 2, step: 'implement', decision: 'SUCCEEDED' });
  const second = now - 5 * hour;
  teller.pick(id, second);
  teller.step({
    ...base,
    at: second + 500_000,
    turn: 2,
    step: 'implement',
    decision: 'SUCCEEDED',
    content: '# Implement\n\nFirst try.\n',
  });
  teller.step({
    ...base,
    at: second + 900_000,
    turn: 3,
    step: 'review',
    decision: 'NEEDS_CHANGES',
    content: review(3, 'A broken file is skipped without a word.'),
  });
  teller.step({
    ...base,
    at: second + 2 * hour,
    turn: 4,
    step: 'implement',
    decision: 'SUCCEEDED',
    content: '# Implement\n\nSecond try.\n',
  });
  teller.step({
    ...base,
    at: second + 2.2 * hour,
    turn: 5,
    step: 'review',
    decision: 'NEEDS_CHANGES',
    content: review(5, 'A broken file is named, but the night stops there.'),
  });
  const error = 'the test step timed out after 600 s: import.test.ts waits for a bank that does not answer';
  teller.step({
    ...base,
    at: second + 3 * hour,
    turn: 6,
    step: 'test',
    decision: 'FAILED',
    elapsedMs: 600_000,
    error,
  });
}

function tellLong(teller: Teller, now: number, turns: number): void {
  const id = story.long;
  teller.item(id, {
    title: `A long story of ${turns} turns`,
    spec: '# Long\n',
    labels: ['long'],
    updatedAt: now - 24 * hour,
  });
  const begin = now - 40 * 24 * hour;
  teller.pick(id, begin);
  for (let turn = 2; turn <= turns; turn += 1) {
    const failed = turn % 97 === 0;
    const at = begin + turn * 600_000 + Math.floor(turn / 50) * hour;
    const step = turn % 2 === 0 ? 'implement' : 'review';
    const decision = failed ? 'FAILED' : turn % 2 === 0 ? 'SUCCEEDED' : 'NEEDS_CHANGES';
    const elapsedMs = 1000 + ((turn * 7919) % 500_000);
    const base = { id, at, turn, step, decision, status: 'WIP', elapsedMs };
    teller.step(failed ? { ...base, error: `turn ${turn}: exit code 1` } : base);
  }
}

function tellHostile(teller: Teller, home: string, now: number): void {
  const id = story.hostile;
  const all = hostileTexts.join('\n\n');
  const title = `"><svg onload=window.__deespecAlarm=1> \u202Etxt {{7*7}}`;
  teller.item(id, {
    title,
    spec: `# Hostile\n\n${all}`,
    labels: ['"><img src=x onerror=window.__deespecAlarm=1>'],
    updatedAt: now - hour,
  });
  teller.pick(id, now - hour);
  const base = { id, turn: 2, step: 'implement', decision: 'FAILED', status: 'WIP', elapsedMs: 1000 };
  teller.step({ ...base, at: now - hour + 1000, error: hostileTexts.slice(0, 8).join(' '), content: all });
  const attachment = join(
    home,
    directoryOf(id),
    'attachments',
    '"><img src=x onerror=window.__deespecAlarm=1>.html',
  );
  writeFileSync(attachment.replaceAll('/onerror', '_onerror'), `<script>window.__deespecAlarm=1</script>`);
}

/** Adds the SBIs of the story to a tree, with times that are hours and days before `now`. */
export function tellStory(
  home: string,
  { now, turns }: { readonly now: number; readonly turns: number },
): void {
  const teller = new Teller(home);
  tellLong(teller, now, turns);
  tellPayment(teller, now);
  tellHostile(teller, home, now);
}
