import type { AuditRecord } from '@deespec/domain';
import { chainAudit } from '@deespec/layout';
import { describe, expect, test } from '@jest/globals';

import { syncTrees } from '../src/sync-trees.js';
import { setUp } from './sync-setup.js';

describe('syncTrees, audit records', () => {
  const note = { timestamp: '2026-01-02T03:04:05.000000000Z', entityType: 't', entityId: 'e', action: 'a' };

  function chain(length: number, action = 'a'): AuditRecord[] {
    const records: AuditRecord[] = [];
    for (let seq = 1; seq <= length; seq += 1) records.push(chainAudit({ ...note, action }, records.at(-1)));
    return records;
  }

  test.each([
    [2_500, 3],
    [3, 2_500],
  ])('completes chains of %d and %d', async (outside, inside) => {
    const setup = setUp();
    setup.disk.audit = chain(outside);
    setup.database.tables = { ...setup.database.tables, audit: chain(inside) };

    await syncTrees(setup);

    expect(setup.disk.audit).toEqual(chain(2_500));
    expect(setup.database.tables.audit).toEqual(chain(2_500));
    expect((await syncTrees(setup)).wrote).toBe(0);
  });

  test.each([
    ['that differ', chain(3), chain(3, 'b')],
    ['with a gap', chain(3).filter(({ seq }) => seq !== 2), chain(3)],
  ])('refuses chains %s', async (_, outside, inside) => {
    const setup = setUp();
    setup.disk.audit = outside;
    setup.database.tables = { ...setup.database.tables, audit: inside };

    await expect(syncTrees(setup)).rejects.toMatchObject({ code: 'AUDIT.BROKEN' });
  });

  test('reads over a record that two processes added', async () => {
    const setup = setUp();
    setup.disk.audit = [...chain(3), ...chain(3).slice(1)];
    setup.database.tables = { ...setup.database.tables, audit: chain(3) };

    expect((await syncTrees(setup)).wrote).toBe(0);
  });
});
