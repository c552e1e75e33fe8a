// A process of its own that reads through the API and says what it should never have seen.
import { isStorageError, type SbiId, type Storage } from '@deespec/domain';
import { openStorage } from '@deespec/storage';
import { Random } from '@deespec/trees';
import { setTimeout as sleep } from 'node:timers/promises';

import { isWhole } from './content.js';
import { hotIds, numberOf, total } from './shared-items.js';
import { isBusy } from './work.js';
import type { ReaderOptions, Seen } from './worker-options.js';

const { home, seed, expects } = JSON.parse(process.argv[2]!) as ReaderOptions;
const random = new Random(seed);
const highest = new Map<string, number>();
let isWanted = true;
process.on('message', () => (isWanted = false));

const looks: readonly ((storage: Storage) => Promise<string | undefined>)[] = [
  async (storage) => {
    const id = random.pick(hotIds);
    const now = numberOf((await storage.getSbi(id)).metadata['title']);
    return now < raise(id, now) ? `${id} went back to ${now} from ${highest.get(id)}` : undefined;
  },
  async (storage) => {
    const [setting, title] = await storage.transaction(async (tx) => [
      Number((await tx.getConfig(total.key)).valueJson),
      numberOf((await tx.getSbi(total.id)).metadata['title']),
    ]);
    if (setting !== title) return `one transaction saw ${setting} in the setting and ${title} in the SBI`;
    return setting < raise(total.key, setting) ? `${total.key} went back to ${setting}` : undefined;
  },
  async (storage) => {
    const seen = new Set<string>();
    for await (const { id, metadata } of storage.streamSbis({ limit: 40 })) {
      if (seen.has(id)) return `the stream gives ${id} twice`;
      seen.add(id);
      // Where files are the truth a read can show a part of another process's change. Source: docs/modes.md.
      const isShown = typeof metadata['title'] === 'string' || storage.mode !== 'sqlite';
      if (expects === 'none' && !isShown) return `${id} has no title`;
    }
    const missing = hotIds.find((id) => !seen.has(id));
    return missing === undefined ? undefined : `the stream leaves out ${missing}`;
  },
  async (storage) => {
    const sbis = await storage.listSbis({ label: 'own', limit: 200 });
    if (sbis.length === 0) return undefined;
    return wrongExecution(storage, random.pick(sbis).id);
  },
];

async function wrongExecution(storage: Storage, sbiId: SbiId): Promise<string | undefined> {
  const executions = await storage.listExecutions({ sbiId, limit: 1_000 });
  if (executions.length === 0) return undefined;
  const { run, turn, step } = random.pick(executions);
  const bytes = await storage.readContent({ sbiId, run, turn, step });
  if (bytes !== undefined && isWhole(bytes)) return undefined;
  return `${sbiId} ${step}_${turn} is torn: ${bytes === undefined ? 'no content' : `${bytes.length} bytes`}`;
}

/** The highest number seen of something, this one included. */
function raise(key: string, now: number): number {
  const most = Math.max(now, highest.get(key) ?? 0);
  highest.set(key, most);
  return most;
}

function mayHappen(error: unknown): boolean {
  return isStorageError(error, 'TRANSACTION.CHANGED') || (expects === 'busy' && isBusy(error));
}

const storage = await openStorage({ home });
for (let count = 1; isWanted; count += 1) {
  let wrong: string | undefined;
  try {
    wrong = await random.pick(looks)(storage);
  } catch (error) {
    if (!mayHappen(error)) wrong = `a read failed: ${String(error)}`;
  }
  process.send?.({ looks: count, ...(wrong === undefined ? {} : { wrong }) } satisfies Seen);
  await sleep(random.int(5, 40));
}
await storage.close();
process.disconnect?.();
