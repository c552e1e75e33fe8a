import { parseSbiId, type Execution, type Sbi } from '@deespec/domain';

export const id = parseSbiId('SBI-01M810CC01J2AAPQZVYRK1YMJR');
const time = '2026-01-02T03:04:05.000000000Z';

/** An SBI with defaults. */
export function sbi(values: Partial<Sbi> = {}): Sbi {
  return {
    id,
    taskId: id,
    priority: 0,
    status: 'READY',
    createdAt: time,
    updatedAt: time,
    metadata: {},
    ...values,
  };
}

/** An execution with defaults. */
export function execution(values: Partial<Execution> = {}): Execution {
  return {
    sbiId: id,
    run: 1,
    turn: 1,
    step: 'implement',
    status: 'WIP',
    decision: 'PENDING',
    attempt: 1,
    startedAt: time,
    metadata: {},
    ...values,
  };
}
