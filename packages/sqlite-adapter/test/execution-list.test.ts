import type { ExecutionFilter, SbiId } from '@deespec/domain';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { join } from 'node:path';

import { openConnection, type Connection } from '../src/connection.js';
import { executionPage } from '../src/execution.js';
import { failedKeys } from '../src/failures.js';
import { MemoryTree } from './memory-tree.js';
import { directory, removeDirectories } from './support.js';

const sbiId = 'SBI-01M810CC01J2AAPQZVYRK1YMJR' as SbiId;
let connection: Connection;

beforeAll(async () => {
  const path = join(directory(), 'deespec.db');
  const tree = new MemoryTree();
  // With a single item SQLite knows that the item says nothing, and takes whatever index there is.
  for (const item of [sbiId, 'SBI-01M810CC093DHZQK57AH103BW2', 'SBI-01M810CC09ZZZZZZZZZZZZZZZZ']) {
    await tree.put(`specs/sbi/${item}/state.json`, '{"status":"WIP"}');
    for (const turn of [1, 2, 3])
      await tree.put(`specs/sbi/${item}/implement_${turn}.md`, 'DECISION: FAILED\n');
  }
  await tree.load(path, 'create');
  connection = await openConnection(path, 'read');
});
afterAll(async () => {
  await connection.close();
  removeDirectories();
});

const filters: readonly (readonly [string, ExecutionFilter])[] = [
  ['all executions', {}],
  ['those of an item', { sbiId }],
  ['those of a run', { sbiId, run: 1 }],
  ['the next page', { sbiId, after: { sbiId, run: 1, turn: 1, step: 'implement' } }],
];

test.each(filters)('the list of %s is read from the covering index alone, in its order', (_, filter) => {
  const [sql, values] = executionPage(connection.dataSource, filter).getQueryAndParameters();

  const plan = connection.handle.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(values) as { detail: string }[];

  expect(plan).toHaveLength(1);
  expect(plan[0]!.detail).toContain('USING COVERING INDEX idx_execution_list');
});

test.each([false, true])(
  'what failed is read from its own index alone, in its order (next page: %s)',
  (isNext) => {
    const values = { since: '2026', limit: 10, ended: '2027', sbiId, run: 1, turn: 1, step: 'implement' };
    const plan = connection.handle.prepare(`EXPLAIN QUERY PLAN ${failedKeys(isNext)}`).all(values) as {
      detail: string;
    }[];

    expect(plan).toHaveLength(1);
    expect(plan[0]!.detail).toContain('idx_execution_failed');
  },
);
