import { migrate, openStorage, setMode } from '@deespec/storage';
import { afterEach, describe, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { escalate, runWorker, type Work } from '../src/index.js';

const made: string[] = [];
afterEach(() => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
});

function makeHome(): string {
  const directory = mkdtempSync(join(tmpdir(), 'deespec-example-'));
  made.push(directory);
  const home = join(directory, '.deespec');
  mkdirSync(join(home, 'specs/sbi'), { recursive: true });
  writeFileSync(join(home, 'setting.json'), '{}\n');
  return home;
}

const done: Work = { report: '# Done\n', decision: 'SUCCEEDED' };

describe('The example service', () => {
  test('works on every item once with two workers, while the mode changes', async () => {
    const home = makeHome();
    const storage = await openStorage({ home, user: 'example' });
    for (let i = 0; i < 4; i += 1) await storage.createSbi({ title: `item ${i}` });
    await migrate({ home });
    await setMode({ home, mode: 'sqlite' });
    const worked: string[] = [];
    const work = async () => done;
    const onDone = ({ sbi }: { readonly sbi: { readonly id: string } }): void => void worked.push(sbi.id);

    const finished = await Promise.all(
      [1, 2].map(() => runWorker(storage, { leaseMs: 60_000, work, onDone })),
    );
    await storage.settled();

    const items = await storage.listSbis();
    expect(finished.reduce((sum, count) => sum + count)).toBe(4);
    expect(worked.toSorted()).toEqual(items.map(({ id }) => id).toSorted());
    expect(items.every(({ status }) => status === 'DONE')).toBe(true);
    const report = readFileSync(join(home, 'specs/sbi', items[0]!.id, 'implement_2.md'), 'utf8');
    expect(report).toBe('# Done\n');
    await storage.close();
  });

  test('loses the item of a worker whose lease was taken over, and says so', async () => {
    const storage = await openStorage({ home: makeHome(), user: 'example' });
    await storage.createSbi({ title: 'slow' });
    const work = async (claim: Parameters<Parameters<typeof runWorker>[1]['work']>[0]) => {
      await storage.releaseSbi(claim, 'DONE');
      return done;
    };

    expect(await runWorker(storage, { leaseMs: 60_000, work })).toBe(0);
    await storage.close();
  });

  test('raises an item as one unit, also when somebody changes it meanwhile', async () => {
    const storage = await openStorage({ home: makeHome(), user: 'example' });
    const { id } = await storage.createSbi({ title: 'hot', labels: ['a'] });

    const [raised] = await Promise.all([
      escalate(storage, id, 'A customer waits.'),
      storage
        .getSbi(id)
        .then((read) => storage.updateSbi(read, { title: 'hotter' }))
        .catch(() => undefined),
    ]);

    expect(raised).toMatchObject({ id, priority: 1, label: 'a,urgent' });
    expect((await storage.listSbis()).map(({ metadata }) => metadata['title'])).toContain(
      `Find out why ${id} is urgent`,
    );
    await storage.close();
  });
});
