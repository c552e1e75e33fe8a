import { generateTree } from '@deespec/trees';
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A tree that is large in one way. */
export interface LargeTree {
  readonly name: string;
  /** Writes it to `home`, which does not exist. */
  readonly write: (home: string) => void;
}

const MIB = 1_048_576;

/** Every way of being large that is tried; `scale` 1 is the full size. */
export function largeTrees(scale: number): readonly LargeTree[] {
  const part = (count: number): number => Math.max(1, Math.round(count * scale));
  return [
    { name: 'attachment of 1 GiB', write: (home) => fill(home, 'attachments/big.bin', part(1024)) },
    { name: 'journal of 700 MB', write: (home) => writeJournal(home, part(700_000_000)) },
    { name: '200,000 names in a directory', write: (home) => writeNames(home, part(200_000)) },
    { name: 'spec of one line of 64 MiB', write: (home) => fill(home, 'spec.md', part(64)) },
    {
      name: '20,000 SBIs',
      write: (home) => void generateTree(home, { layout: 'mixed', sbis: part(20_000), seed: 1 }),
    },
  ];
}

function sbiId(number: number): string {
  return `SBI-${String(number).padStart(26, '0')}`;
}

function put(home: string, path: string, content: string): void {
  mkdirSync(dirname(join(home, path)), { recursive: true });
  writeFileSync(join(home, path), content);
}

function begin(home: string): void {
  put(home, 'setting.json', '{}\n');
  put(home, `specs/sbi/${sbiId(1)}/spec.md`, '# One\n');
}

/** Writes chunks until `bytes` are written. */
function stream(file: string, bytes: number, next: () => Buffer): void {
  mkdirSync(dirname(file), { recursive: true });
  const descriptor = openSync(file, 'w');
  try {
    for (let done = 0; done < bytes;) done += writeSync(descriptor, next());
  } finally {
    closeSync(descriptor);
  }
}

/** One file of the first SBI, without a line feed. */
function fill(home: string, name: string, mebibytes: number): void {
  begin(home);
  const chunk = Buffer.alloc(MIB, 'a line without an end ');
  stream(join(home, 'specs/sbi', sbiId(1), name), mebibytes * MIB, () => chunk);
}

function writeNames(home: string, count: number): void {
  begin(home);
  for (let i = 0; i < count; i += 1) put(home, `specs/notes/a-name-of-some-length-${i}.md`, 'x');
}

/** Lines as the Go tool writes them, over 5,000 SBIs at most. Source: docs/formats.md. */
function writeJournal(home: string, bytes: number): void {
  const sbis = Math.min(5_000, Math.ceil(bytes / 100_000));
  for (let i = 1; i <= sbis; i += 1) put(home, `specs/sbi/${sbiId(i)}/spec.md`, `# ${i}\n`);
  let line = 0;
  const lines = (): Buffer =>
    Buffer.from(Array.from({ length: 2_000 }, () => journalLine(line++, sbis)).join(''));
  stream(join(home, 'var/journal.ndjson'), bytes, lines);
}

function journalLine(number: number, sbis: number): string {
  const id = sbiId(1 + (number % sbis));
  const turn = 1 + Math.floor(number / sbis);
  const ts = new Date(Date.UTC(2026, 0, 1) + number * 1000).toISOString();
  const directory = `.deespec/specs/sbi/${id}`;
  const common = { decision: 'PENDING', elapsed_ms: 42, error: '' };
  if (turn === 1) {
    const pick = { id, por: 999, priority: 999, spec_path: directory, task_id: id, type: 'pick' };
    return `${JSON.stringify({ artifacts: [pick], ...common, step: 'plan', ts, turn })}\n`;
  }
  const step = turn % 2 === 0 ? 'implement' : 'review';
  const rollup = { path: `${directory}/impl_notes.md`, type: 'impl_note_rollup' };
  const artifacts = [`${directory}/${step}_${turn}.md`, rollup];
  const status = turn % 2 === 0 ? 'WIP' : 'REVIEW';
  return `${JSON.stringify({ artifacts, attempt: Math.ceil(turn / 2), ...common, status, step, ts, turn })}\n`;
}
