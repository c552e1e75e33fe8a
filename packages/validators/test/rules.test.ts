import { describe, expect, test } from '@jest/globals';

import { checks, validatorRules } from '../src/index.js';
import { execution, id, sbi } from './support.js';

describe('turn-sequence', () => {
  test('accepts several steps in one turn and a run of each own', () => {
    const executions = [
      execution({ turn: 1, step: 'plan' }),
      execution({ turn: 2 }),
      execution({ turn: 2, step: 'test' }),
      execution({ turn: 3 }),
      execution({ run: 2, turn: 1, step: 'plan' }),
      execution({ run: 2, turn: 2 }),
    ];

    expect(checks.rules(sbi(), executions)).toEqual([]);
  });

  test('starts at the lowest turn when the run has no pick', () => {
    expect(checks.rules(sbi(), [execution({ turn: 3 }), execution({ turn: 4 })])).toEqual([]);
  });

  test('names the run and every gap', () => {
    const executions = [
      execution({ turn: 2 }),
      execution({ turn: 3 }),
      execution({ run: 2, turn: 1, step: 'plan' }),
      execution({ run: 2, turn: 8 }),
      execution({ run: 2, turn: 3 }),
    ];

    const findings = checks.rules(sbi(), executions);

    expect(findings).toMatchObject([
      {
        rule: 'turn-sequence',
        severity: 'warning',
        entity: id,
        expected: 'run 2: turns 1 to 8 without a gap',
        actual: 'run 2: missing 2, 4 to 7',
      },
    ]);
    expect(findings[0]!.fix).not.toBe('');
  });
});

describe('status-consistency', () => {
  test.each(['SUCCEEDED', 'OK'] as const)('accepts DONE with a decision %s', (decision) => {
    expect(checks.rules(sbi({ status: 'DONE' }), [execution(), execution({ decision })])).toEqual([]);
  });

  test.each([
    [[], 'status DONE without executions'],
    [[execution({ decision: 'FAILED' }), execution()], 'only FAILED, PENDING'],
  ])('warns when DONE was never decided', (executions, actual) => {
    expect(checks.rules(sbi({ status: 'DONE' }), executions)).toMatchObject([
      { rule: 'status-consistency', severity: 'warning', entity: id, actual },
    ]);
  });

  test('says nothing about an SBI that is not DONE', () => {
    expect(checks.rules(sbi({ status: 'WIP' }), [])).toEqual([]);
  });
});

describe('validatorRules', () => {
  test('has a row for every rule that reports', () => {
    const reported = [
      ...checks.rules(sbi({ status: 'DONE' }), [execution({ turn: 1 }), execution({ turn: 3 })]),
    ].map((finding) => finding.rule);

    expect(validatorRules.map((rule) => rule.rule).sort()).toEqual([...reported].sort());
  });
});
