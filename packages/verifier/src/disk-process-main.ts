// The program of the process that reads the tree on disk beside the one that reads the database.
import { sendableError } from '@deespec/domain';
import { setImmediate } from 'node:timers/promises';
import { digestDisk } from './disk-digest.js';
import type { DiskEntry } from './disk-entry.js';
import { MOST_MESSAGES, type DiskMessage } from './disk-process.js';
import { Pace, type WorkDone } from './pace.js';
import { TreeScan } from './tree-scan.js';

/** Entries that are sent together. */
const together = 512;

let entries: DiskEntry[] = [];
let read = 0;
let told = 0;
let underway = 0;
let goOn: (() => void) | undefined;

// Whoever asked is gone. What a terminal sends to both is for the other to act upon.
process.on('disconnect', () => process.exit(1));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
process.on('message', () => {
  underway -= 1;
  goOn?.();
});

/** Not waited for: while the reader of the other side is busy, the next entries are read. */
function sendEntries(): void {
  underway += 1;
  send({ entries, bytes: read - told });
  [entries, told] = [[], read];
}

function send(message: DiskMessage, onSent: () => void = () => undefined): void {
  // Without a channel nobody waits any more, see 'disconnect'.
  process.send!(message, onSent);
}

/** A promise only once in a while: one for each entry would cost more than reading most of them. */
function take(entry: DiskEntry): Promise<void> | undefined {
  entries.push(entry);
  return entries.length < together ? undefined : handOver();
}

async function handOver(): Promise<void> {
  sendEntries();
  // Lets what was sent leave, and what was taken be heard of.
  await setImmediate();
  while (underway >= MOST_MESSAGES) await new Promise<void>((resolve) => (goOn = resolve));
}

/** About every 50 ms, in the midst of a large file too. */
function onProgress({ doneBytes }: WorkDone): void {
  read = doneBytes;
  sendEntries();
}

async function scan(home: string): Promise<DiskMessage> {
  try {
    const pace = new Pace({ onProgress });
    const whole = await digestDisk(new TreeScan(home, pace), pace, { onEntry: take });
    // The last entries, and bytes, as any others.
    await pace.turn();
    return whole;
  } catch (error) {
    return { error: sendableError(error) };
  }
}

send(await scan(process.argv[2]!), () => process.exit(0));
