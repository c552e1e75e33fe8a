import type { Storage } from '@deespec/domain';
import { expect, test } from '@jest/globals';

import { failureOf } from './storage-failures.js';
import type { OnApi } from './storage-contract.js';

export function transactions(onApi: OnApi): void {
  test(
    'makes all changes of a unit, which sees its own',
    onApi(async (storage) => {
      const made = await storage.createSbi({ title: 'one' });

      const seen = await storage.transaction(async (tx) => {
        const other = await tx.createSbi({ title: 'two' });
        await tx.updateSbi(await tx.getSbi(made.id), { priority: 5 });
        return [await tx.getSbi(made.id), await tx.getSbi(other.id), ...(await tx.listSbis())];
      });

      const [changed, other] = seen;
      expect(changed).toMatchObject({ id: made.id, priority: 5 });
      expect(
        seen
          .slice(2)
          .map(({ id }) => id)
          .sort(),
      ).toEqual([made.id, other!.id].sort());
      expect(await storage.getSbi(made.id)).toMatchObject({ priority: 5 });
      expect(await storage.getSbi(other!.id)).toMatchObject({ metadata: { title: 'two' } });
    }),
  );

  test(
    'makes none when the unit throws, and passes the error on',
    onApi(async (storage) => {
      const made = await storage.createSbi({ title: 'one' });
      const failing = storage.transaction(async (tx) => {
        await tx.updateSbi(made, { priority: 9 });
        await tx.createSbi({ title: 'never' });
        throw new Error('changed my mind');
      });

      await expect(failing).rejects.toThrow('changed my mind');
      expect(await storage.listSbis()).toEqual([made]);
    }),
  );

  test(
    'keeps a plain write during a unit that fails',
    onApi(async (storage) => {
      const made = await storage.createSbi({ title: 'one' });
      const failing = storage.transaction(async (tx) => {
        await tx.createSbi({ title: 'never' });
        await storage.updateSbi(made, { priority: 4 });
        throw new Error('rolled back');
      });

      await expect(failing).rejects.toThrow('rolled back');
      expect(await storage.listSbis()).toMatchObject([{ id: made.id, priority: 4 }]);
    }),
  );
  overlapping(onApi);
}

function overlapping(onApi: OnApi): void {
  test(
    'gives a claim whose lease can be renewed and given back',
    onApi(async (storage) => {
      const { id } = await storage.createSbi({ title: 'one' });

      const claim = await storage.transaction((tx) => tx.claimSbi(id, 60_000));

      expect(await failureOf(storage.releaseSbi(claim, 'DONE'))).toBeUndefined();
    }),
  );

  test(
    'fails when what it read was changed, and can be run again',
    onApi(async (storage) => {
      const made = await storage.createSbi({ title: 'one' });
      const unit = async (meanwhile: () => Promise<unknown>) =>
        storage.transaction(async (tx) => {
          const { priority } = await tx.getSbi(made.id);
          await meanwhile();
          await tx.createSbi({ title: `priority was ${priority}` });
        });

      expect(await failureOf(unit(() => storage.updateSbi(made, { priority: 3 })))).toBe(
        'TRANSACTION.CHANGED',
      );
      expect(await storage.listSbis()).toHaveLength(1);
      await unit(async () => undefined);
      expect((await storage.listSbis()).map(({ metadata }) => metadata['title'])).toContain('priority was 3');
    }),
  );

  test(
    'overlapping units lose nothing, also when one of them fails',
    onApi(async (storage) => {
      const made = await storage.createSbi({ title: 'counter', priority: 0 });

      await Promise.all(Array.from({ length: 5 }, (_, i) => count(storage, made.id, i)));

      expect(await storage.getSbi(made.id)).toMatchObject({ priority: 4 });
    }),
  );
}

/** Counts up once, however often somebody else comes in between; the third one fails on purpose. */
async function count(storage: Storage, id: Parameters<Storage['getSbi']>[0], worker: number): Promise<void> {
  for (;;) {
    const end = storage.transaction(async (tx) => {
      const sbi = await tx.getSbi(id);
      await tx.updateSbi(sbi, { priority: sbi.priority + 1 });
      if (worker === 2) throw new Error('on purpose');
    });
    const code = await failureOf(end.catch((error: unknown) => onPurpose(error)));
    if (code === undefined) return;
  }
}

function onPurpose(error: unknown): void {
  if (error instanceof Error && error.message === 'on purpose') return;
  throw error;
}
