import { expect, test } from '@jest/globals';

import { failureOf } from './storage-failures.js';
import type { OnApi } from './storage-contract.js';

const lease = { leaseMs: 60_000 };

export function claims(onApi: OnApi): void {
  test(
    'takes the next item once, and gives it back',
    onApi(async (storage) => {
      const made = await storage.createSbi({ title: 'one' });

      const claim = await storage.claimNext(lease);
      const none = await storage.claimNext(lease);
      const renewed = await storage.renewLease(claim!, 120_000);
      const released = await storage.releaseSbi(renewed, 'DONE');

      expect(claim).toMatchObject({ run: 1, sbi: { id: made.id, status: 'WIP' } });
      expect(none).toBeUndefined();
      expect(renewed.leaseExpiresAt > claim!.leaseExpiresAt).toBe(true);
      expect(released.status).toBe('DONE');
    }),
  );

  test(
    'does not renew or release a lease that is another one by now',
    onApi(async (storage) => {
      await storage.createSbi({ title: 'one' });
      const first = await storage.claimNext(lease);
      await storage.releaseSbi(first!, 'READY');
      const second = await storage.claimNext(lease);

      expect(second).toMatchObject({ run: 2 });
      expect(await failureOf(storage.renewLease(first!, 5_000))).toBe('LEASE.NOT_HELD');
      expect(await failureOf(storage.releaseSbi(first!, 'DONE'))).toBe('LEASE.NOT_HELD');
      expect(await failureOf(storage.renewLease(second!, 5_000))).toBeUndefined();
    }),
  );

  test(
    'gives an item to one of many callers',
    onApi(async (storage) => {
      const made = await storage.createSbi({ title: 'one' });

      const taken = await Promise.all(Array.from({ length: 6 }, () => storage.claimNext(lease)));

      expect(taken.filter((claim) => claim !== undefined)).toMatchObject([{ sbi: { id: made.id } }]);
    }),
  );

  test(
    'keeps a lease that is held from being deleted',
    onApi(async (storage) => {
      await storage.createSbi({ title: 'one' });
      const claim = await storage.claimNext(lease);

      expect(await failureOf(storage.deleteSbi(claim!.sbi))).toBe('LEASE.HELD');
    }),
  );
}
