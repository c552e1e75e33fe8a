import { describe, expect, test } from '@jest/globals';

import { rowProblems, type RowKind } from '../src/index.js';
import { id } from './support.js';

const time = '2026-01-02T03:04:05.000000001Z';
const rows: Readonly<Record<RowKind, Record<string, unknown>>> = {
  sbi: {
    id,
    task_id: 'T',
    label: null,
    priority: 0,
    status: 'DONE',
    created_at: time,
    updated_at: time,
    completed_at: null,
    metadata: '{}',
    path: Buffer.from('x'),
  },
  execution: {
    id: 1,
    sbi_id: id,
    run: 1,
    turn: 2,
    step: 'review',
    status: 'WIP',
    decision: null,
    attempt: 1,
    started_at: time,
    completed_at: time,
    lease_expires_at: null,
    metadata: '{"a":null}',
  },
  config: { key: 'setting.max_turns', value: '8', updated_at: time },
  audit: {
    timestamp: time,
    entity_type: 'sbi',
    entity_id: id,
    action: 'x',
    old_value: null,
    new_value: '{}',
    user: null,
    session_id: 's',
  },
};

describe('rowProblems', () => {
  test.each(Object.keys(rows) as RowKind[])('accepts a row of %s', (kind) => {
    expect(rowProblems(kind, rows[kind])).toEqual([]);
  });

  test.each([
    ['sbi', 'id', 'SBI-1'],
    ['sbi', 'task_id', null],
    ['sbi', 'priority', '1'],
    ['sbi', 'status', 'OPEN'],
    ['sbi', 'created_at', '2026-01-02 03:04:05'],
    ['sbi', 'created_at', '2026-13-02T03:04:05.000000001Z'],
    ['sbi', 'metadata', '[]'],
    ['sbi', 'metadata', '{'],
    ['execution', 'turn', 0],
    ['execution', 'run', null],
    ['execution', 'decision', 'MAYBE'],
    ['execution', 'lease_expires_at', 5],
    ['config', 'key', 'other.x'],
    ['config', 'value', 'not json'],
    ['audit', 'action', undefined],
    ['audit', 'old_value', 'x'],
  ] as const)('names %s.%s when it is %j', (kind, column, value) => {
    expect(rowProblems(kind, { ...rows[kind], [column]: value })).toMatchObject([{ property: column }]);
  });
});
